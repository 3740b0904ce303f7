// Keeps the gateway running: whatever ends or freezes it, it is started again, soon at first, then ever more slowly.
//
//   set -a; . ./gateway.env; set +a; node supervise.mjs
//
// Each start gets a temporary folder of its own, which goes with it: a gateway that is killed leaves copies of every
// picture behind. Ends at once where the settings are wrong (status 2), and with 0 on SIGTERM and SIGINT.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const FIRST_WAIT_SECONDS = 1
const LONGEST_WAIT_SECONDS = 60
const LONG_ENOUGH_SECONDS = 300 // after which the next end counts as the first again
const KILL_AFTER_SECONDS = 5
const WRONG_SETTINGS = 2
const FROZEN_SECONDS = Number(process.env.GATEWAY_FROZEN_SECONDS ?? 60) // without a sign of life from it

let child
let stopping = false
let wait = FIRST_WAIT_SECONDS
let timer
let lastSign = 0

function finish (status) {
  clearTimeout(timer)
  process.exit(status)
}

function start () {
  const began = performance.now() // a clock that nobody sets, and that stands while the machine sleeps
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'lingban-gateway-'))
  child = spawn(process.execPath, [path.join(HERE, 'start.mjs')], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  lastSign = began
  child.on('message', () => { lastSign = performance.now() })
  child.on('exit', (status, signal) => {
    child = undefined
    fs.rmSync(temporary, { recursive: true, force: true })
    if (stopping) finish(0)
    if (status === WRONG_SETTINGS) finish(WRONG_SETTINGS)
    if (performance.now() - began > LONG_ENOUGH_SECONDS * 1000) wait = FIRST_WAIT_SECONDS
    console.error(`supervisor: the gateway ended (${signal ?? 'status ' + status}), next start in ${wait} s`)
    timer = setTimeout(start, wait * 1000)
    wait = Math.min(wait * 2, LONGEST_WAIT_SECONDS)
  })
}

for (const name of ['SIGTERM', 'SIGINT']) {
  process.on(name, () => {
    if (!child) finish(0)
    stopping = true
    child.kill('SIGTERM')
    setTimeout(() => child?.kill('SIGKILL'), KILL_AFTER_SECONDS * 1000)
  })
}
start()
setInterval(() => {
  if (!child || performance.now() - lastSign < FROZEN_SECONDS * 1000) return
  console.error(`supervisor: no sign of life for ${FROZEN_SECONDS} s, the gateway is ended`)
  lastSign = performance.now()
  child.kill('SIGKILL')
}, 1000)
