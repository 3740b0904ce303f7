// Serves one WeChat account to the bot: the puppet that GATEWAY_PUPPET names, over gRPC with a token and TLS.
//
//   node start.mjs        settings come from the environment, see gateway.example.env
//
// It never stops the puppet by itself: for some of them that logs the account out of WeChat. Exit status 2: the settings
// are wrong, starting again is of no use.
import fs from 'node:fs'
import path from 'node:path'

process.env.WECHATY_LOG = 'warn' // below that the libraries log the token; hence they are imported later
const WRONG_SETTINGS = 2
const SIGN_MILLISECONDS = 1000

class SettingsError extends Error {}

function readFile (name) {
  try {
    return fs.readFileSync(process.env[name], 'utf8')
  } catch (error) {
    throw new SettingsError(`${name}: cannot read ${process.env[name]} (${error.code}); make it by certificates.sh`)
  }
}

function settings () {
  const { GATEWAY_LISTEN = '127.0.0.1:8788', GATEWAY_TOKEN = '', GATEWAY_PUPPET = '', GATEWAY_HOME = 'data' } = process.env
  const { GATEWAY_TLS_CERT = '', GATEWAY_TLS_KEY = '' } = process.env
  if (!/^.+:\d+$/.test(GATEWAY_LISTEN)) throw new SettingsError('GATEWAY_LISTEN must be host:port, such as 127.0.0.1:8788')
  if (GATEWAY_TOKEN.length < 16) throw new SettingsError('GATEWAY_TOKEN must have 16 characters or more: openssl rand -hex 24')
  if (!GATEWAY_PUPPET) throw new SettingsError('GATEWAY_PUPPET is empty: the npm package of a puppet, or practice')
  if (!GATEWAY_TLS_CERT !== !GATEWAY_TLS_KEY) throw new SettingsError('give both GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, or none')
  if (!GATEWAY_TLS_CERT && !/^(127\.0\.0\.1|\[::1\]|localhost):/.test(GATEWAY_LISTEN)) {
    throw new SettingsError(`GATEWAY_LISTEN ${GATEWAY_LISTEN} is open to others: it needs GATEWAY_TLS_CERT and GATEWAY_TLS_KEY`)
  }
  const tls = GATEWAY_TLS_CERT
    ? { serverCert: readFile('GATEWAY_TLS_CERT'), serverKey: readFile('GATEWAY_TLS_KEY') }
    : { disable: true }
  return { endpoint: GATEWAY_LISTEN, token: GATEWAY_TOKEN, name: GATEWAY_PUPPET, home: GATEWAY_HOME, tls }
}

async function makePuppet (name) {
  if (name === 'practice') return (await import('./practice.mjs')).makePuppet()
  let module
  try {
    module = await import(name)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new SettingsError(`GATEWAY_PUPPET ${name} is not installed here: npm install --no-save ${name}`)
  }
  const Puppet = module.default?.default ?? module.default
  if (typeof Puppet !== 'function') throw new SettingsError(`GATEWAY_PUPPET ${name} is no Wechaty puppet`)
  return new Puppet()
}

// The code to scan is a way into the account: it is shown here and in a file for its owner alone, nowhere else.
async function showScan (payload, home) {
  const file = path.join(home, 'qrcode.txt')
  if (!payload.qrcode) return
  const { default: qrcode } = await import('qrcode')
  fs.writeFileSync(file, await qrcode.toString(payload.qrcode, { type: 'utf8' }), { mode: 0o600 })
  console.log(`gateway: scan the code with the account's phone: cat ${path.resolve(file)}`)
}

async function main () {
  if (process.send) setInterval(() => process.send('alive'), SIGN_MILLISECONDS) // to the supervisor
  process.on('disconnect', () => process.exit(1)) // which is gone: another one needs the port
  const { endpoint, token, name, home, tls } = settings()
  fs.mkdirSync(home, { recursive: true, mode: 0o700 })
  const puppet = await makePuppet(name)
  const { MemoryCard } = await import('memory-card')
  const { PuppetServer } = await import('wechaty-puppet-service')
  puppet.setMemory(new MemoryCard(path.resolve(home, 'session'))) // with it some puppets need no new scan after a restart
  puppet.on('error', event => console.error('gateway: puppet error', String(event?.data ?? event?.gerror ?? '').slice(0, 200)))
  puppet.on('scan', payload => showScan(payload, home).catch(error => console.error('gateway: no code:', error.message)))
  puppet.on('login', () => {
    fs.rmSync(path.join(home, 'qrcode.txt'), { force: true })
    console.log('gateway: logged in')
  })
  puppet.on('logout', () => console.log('gateway: logged out'))
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0))
  await new PuppetServer({ endpoint, puppet, token, tls }).start()
  console.log(`gateway: ready on ${endpoint}, ${tls.disable ? 'without TLS' : 'TLS'}, puppet ${name}`)
}

main().catch(error => {
  const wrong = error instanceof SettingsError
  console.error(wrong ? `gateway: ${error.message}` : error.stack)
  process.exit(wrong ? WRONG_SETTINGS : 1)
})
