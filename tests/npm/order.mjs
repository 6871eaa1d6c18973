// An order as a wallet signs it: typed data from the venue, eth_signTypedData_v4, back to the venue.
// node order.mjs RPC ACCOUNT MARKET SIZE, with PRIVATE_KEY in the environment.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(process.env.MODULES + '/')
const load = (name) => import(pathToFileURL(require.resolve(name)))
const { recoverTypedDataAddress } = await load('viem')
const { privateKeyToAccount } = await load('viem/accounts')

const [rpc, number, market, size] = process.argv.slice(2)
const wallet = privateKeyToAccount(process.env.PRIVATE_KEY)

const ask = async (method, params) => {
  const response = await fetch(rpc, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = await response.json()
  return { result, error }
}
const answer = async (method, params) => {
  const { result, error } = await ask(method, params)
  if (error) throw new Error(JSON.stringify(error))
  return result
}

const price = (await answer('venue_book', { market })).bestBid.price
const fields = { account: Number(number), market, side: 'buy', size, price, life: 'GTC' }
const typedData = await answer('venue_typedData', { kind: 'order', fields })
const { domain, types, primaryType, message } = typedData
const signature = await wallet.signTypedData({ domain, types, primaryType, message })
const recovered = await recoverTypedDataAddress({ domain, types, primaryType, message, signature })
const taken = await ask('venue_submit', { kind: 'order', message, signature })
const larger = { ...message, sequence: `${Number(message.sequence) + 1}` }
const forged = await ask('venue_submit', { kind: 'order', message: larger, signature })

console.log(JSON.stringify({ recovered, taken, forged, message }))
