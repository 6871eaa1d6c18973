// Signs what eth_signTypedData_v4 takes: a file with a list of typed data, a signature for each.
// node typed_data.mjs FILE, with PRIVATE_KEY in the environment.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(process.env.MODULES + '/')
const { privateKeyToAccount } = await import(pathToFileURL(require.resolve('viem/accounts')))

const wallet = privateKeyToAccount(process.env.PRIVATE_KEY)
const signatures = []
for (const typedData of JSON.parse(readFileSync(process.argv[2], 'utf8')))
  signatures.push(await wallet.signTypedData(typedData))
console.log(JSON.stringify(signatures))
