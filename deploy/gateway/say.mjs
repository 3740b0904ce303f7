// Speak in a room of the practice gateway, and read what is said there.
//
//   node say.mjs                              everything that was said since the gateway started
//   node say.mjs ROOM WHO TEXT                say it, then show what the bot answers within 15 seconds
const WAIT_SECONDS = 15
const QUIET_SECONDS = 4 // after its last answer the bot is taken to have done
const address = `http://127.0.0.1:${process.env.GATEWAY_PRACTICE_PORT ?? 8789}/`
const [room, who, ...words] = process.argv.slice(2)

async function ask (body) {
  let answer
  try {
    answer = await (await fetch(address, { method: 'POST', body })).json()
  } catch {
    throw new Error(`nothing answers at ${address}; start the gateway with GATEWAY_PUPPET=practice`)
  }
  if (answer.error) throw new Error(answer.error)
  return answer
}

const show = each => console.log(`【${each.room}】${each.who}：${each.text}`)

async function speak () {
  let shown = (await ask(JSON.stringify({ room, who, text: words.join(' ') }))).from
  let end = Date.now() + WAIT_SECONDS * 1000
  while (Date.now() < end) {
    const { said } = await ask('')
    for (const each of said.slice(shown)) {
      show(each)
      if (each.who !== who) end = Date.now() + QUIET_SECONDS * 1000
    }
    shown = said.length
    await new Promise(resolve => setTimeout(resolve, 300))
  }
}

try {
  if (room === undefined) (await ask('')).said.forEach(show)
  else await speak()
} catch (error) {
  console.error(`say: ${error.message}`)
  process.exitCode = 1
}
