// What somebody writes who has viem, two addresses and two ABIs: a deposit, and what became of it.
// node deposit.mjs URL TOKEN ROLLUP AMOUNT SUBACCOUNT, with PRIVATE_KEY and ABIS in the environment.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(process.env.MODULES + '/')
const load = (name) => import(pathToFileURL(require.resolve(name)))
const { createPublicClient, createWalletClient, defineChain, http, parseEventLogs } = await load('viem')
const { privateKeyToAccount } = await load('viem/accounts')

const [url, token, rollup, amount, subaccount] = process.argv.slice(2)
const abis = JSON.parse(process.env.ABIS)
const chain = defineChain({
  id: 31337,
  name: 'Tallystick devnet',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [url] } },
})
const account = privateKeyToAccount(process.env.PRIVATE_KEY)
const reading = createPublicClient({ chain, transport: http(), pollingInterval: 50 })
const wallet = createWalletClient({ account, chain, transport: http() })

const write = async (address, abi, functionName, args) => {
  const hash = await wallet.writeContract({ address, abi, functionName, args })
  const receipt = await reading.waitForTransactionReceipt({ hash })
  if (receipt.status !== 'success') throw new Error(`${functionName} failed`)
  return receipt
}

await write(token, abis.test_usdc, 'approve', [rollup, BigInt(amount)])
const receipt = await write(rollup, abis.rollup, 'deposit', [BigInt(amount), Number(subaccount)])
const [deposited] = parseEventLogs({ abi: abis.rollup, logs: receipt.logs, eventName: 'Deposited' })

let refused = ''
try {
  await reading.simulateContract({
    account, address: rollup, abi: abis.rollup, functionName: 'deposit', args: [0n, 0],
  })
} catch (error) {
  refused = error.walk((cause) => cause.name === 'ContractFunctionRevertedError').reason
}
const proof = await reading.getProof({ address: rollup, storageKeys: [] })
const logs = await reading.getLogs({ address: rollup, fromBlock: receipt.blockNumber })

console.log(JSON.stringify({
  owner: deposited.args.owner,
  account: Number(deposited.args.account),
  amount: deposited.args.amount.toString(),
  refused,
  nonce: await reading.getTransactionCount({ address: account.address }),
  proven: proof.accountProof.length > 0,
  logs: logs.length,
  chainId: await reading.getChainId(),
}))
