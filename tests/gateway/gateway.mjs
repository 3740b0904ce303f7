// The test bench's gateway: the real PuppetServer over the mock puppet, driven through a line-JSON control port.
//
//   node gateway.mjs CONFIG.json
//
// CONFIG: { grpcPort, controlPort, token, journal, tls: null | {cert, key}, autoLogin, world: {bot, rooms} }
// JOURNAL: one JSON line per RPC ({rpc}), per message that came in ({came}), per message whose payload was given to the
// bot ({handed}) and per thing the bot asked to send ({sent}). It is a file, written at once, so that it can be read
// while this process is frozen and after it was killed.
import fs from 'node:fs'
import net from 'node:net'
import { Readable } from 'node:stream'
import { FileBox } from 'file-box'
import { grpc } from 'wechaty-grpc'
import * as PUPPET from 'wechaty-puppet'
import { PuppetMock, mock } from 'wechaty-puppet-mock'
import { PuppetServer } from 'wechaty-puppet-service'

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const journalFd = fs.openSync(config.journal, 'a')
const journal = entry => fs.writeSync(journalFd, JSON.stringify({ at: Date.now(), ...entry }) + '\n')

// Count every RPC before the gateway's own token check sees it.
const addService = grpc.Server.prototype.addService
grpc.Server.prototype.addService = function (service, impl) {
  for (const [name, handler] of Object.entries(impl)) {
    impl[name] = function (call, callback) {
      journal({ rpc: name })
      const answer = name !== 'messagePayload' ? callback : (error, response) => {
        if (!error) journal({ handed: call.request.getId() })
        callback(error, response)
      }
      return handler.call(this, call, answer)
    }
  }
  return addService.call(this, service, impl)
}

const knobs = {}
const resetKnobs = () => Object.assign(knobs, {
  payloadMs: 0,              // upper bound of a random delay of each payload
  lose: new Map(),           // message id -> how many payload calls still fail
  sending: { mode: 'ok' },   // ok | no_id | fail (nothing sent) | swallow (no answer, not sent) | late (sent, no answer)
  memberFails: false,
})
resetKnobs()
const files = new Map()      // message id -> () => FileBox
const aliases = new Map()    // room id + ' ' + contact id -> group nickname
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
const never = () => new Promise(() => {})
const mocker = new mock.Mocker()

class BenchPuppet extends PuppetMock {

  async messageRawPayload (id) {
    if (knobs.payloadMs) await pause(Math.random() * knobs.payloadMs)
    const left = knobs.lose.get(id) ?? 0
    if (left > 0) {
      knobs.lose.set(id, left - 1)
      throw new Error('message not found for ' + id)
    }
    return super.messageRawPayload(id)
  }

  async roomMemberRawPayload (roomId, contactId) {
    if (knobs.memberFails) throw new Error('no member payload')
    const payload = await super.roomMemberRawPayload(roomId, contactId)
    return { ...payload, roomAlias: aliases.get(roomId + ' ' + contactId) ?? '' }
  }

  async messageFile (id) {
    const make = files.get(id)
    if (!make) throw new Error('no file for ' + id)
    return make()
  }

  async messageSendText (to, text, mentions) {
    return this.deliver({ to, text, mentions: mentions ?? [] }, () => super.messageSendText(to, text, mentions))
  }

  async messageSendFile (to, box) {
    const bytes = await box.toBuffer()
    return this.deliver({ to, file: box.name, size: bytes.length }, () => echo(to, { type: PUPPET.types.Message.Attachment, filename: box.name }))
  }

  async deliver (what, send) {
    const { mode, error, times } = knobs.sending
    if (times !== undefined && --knobs.sending.times <= 0) knobs.sending = { mode: 'ok' }
    journal({ sent: { ...what, mode } })
    if (mode === 'fail') throw new Error(error ?? 'puppet refused')
    if (mode === 'swallow') return never()
    await send()
    if (mode === 'late') return never()
    return mode === 'no_id' ? undefined : [...mocker.cacheMessagePayload.keys()].pop()
  }

}

const puppet = new BenchPuppet({ mocker })
puppet.on('error', () => {})   // an 'error' event without a listener would end this process
let bot
const login = () => { if (!puppet.isLoggedIn) mocker.login(bot) }
puppet.on('start', () => { if (config.autoLogin) login() })

function contact (person) {
  if (!mocker.cacheContactPayload.has(person.id)) return mocker.createContact({ id: person.id, name: person.name })
  mocker.cacheContactPayload.get(person.id).name = person.name
  return mocker.ContactMock.load(person.id)
}

function addRoom ({ id, topic, members }) {
  const memberIdList = [config.world.bot.id]
  for (const person of members) {
    contact(person)
    memberIdList.push(person.id)
    if (person.alias) aliases.set(id + ' ' + person.id, person.alias)
  }
  mocker.createRoom({ id, topic, memberIdList, ownerId: memberIdList[1] ?? memberIdList[0], adminIdList: [] })
}

const setUp = world => {
  bot = contact(world.bot)
  world.rooms.forEach(addRoom)
}

function post (message) {
  const payload = { talkerId: '', roomId: '', timestamp: Date.now(), type: PUPPET.types.Message.Text, text: '', mentionIdList: [], ...message }
  mocker.cacheMessagePayload.set(payload.id, payload)
  for (let i = 0; i < (message.times ?? 1); i++) puppet.emit('message', { messageId: payload.id })
}

let echoes = 0
function echo (to, extra) {
  const id = 'echo-' + process.pid + '-' + (++echoes)
  post({ id, talkerId: bot.id, roomId: to.includes('@') ? to : '', listenerId: to, ...extra })
  return id
}

function fileMaker ({ name, base64, size, kind }) {
  const bytes = base64 !== undefined ? Buffer.from(base64, 'base64') : Buffer.alloc(size ?? 0, 'x')
  if (kind === 'missing') return () => { throw new Error('cdn download failed') }
  if (kind === 'stalled') return () => FileBox.fromStream(new Readable({ read () {} }), name)
  if (kind === 'stream') return () => FileBox.fromStream(Readable.from([bytes]), name)
  return () => FileBox.fromBuffer(bytes, name)
}

const clearWorld = async () => {
  for (const cache of [mocker.cacheRoomPayload, mocker.cacheMessagePayload, mocker.cacheContactPayload]) cache.clear()
  mocker.RoomMock.pool.clear()
  mocker.MessageMock.pool.clear()
  mocker.ContactMock.pool.clear()
  files.clear()
  aliases.clear()
}

const ops = {
  async reset ({ world }) {
    if (puppet.isLoggedIn) {   // a puppet that is logged out does not forget
      for (const id of mocker.cacheRoomPayload.keys()) await puppet.roomPayloadDirty(id)
      for (const id of mocker.cacheContactPayload.keys()) await puppet.contactPayloadDirty(id)
      await puppet.logout('reset')
    }
    await clearWorld()
    resetKnobs()
    config.world = world
    setUp(world)
    if (config.autoLogin) login()
  },
  rooms: ({ rooms }) => rooms.forEach(addRoom),
  emit: ({ messages }) => messages.forEach(m => {
    if (m.file) files.set(m.id, fileMaker(m.file))
    journal({ came: m.id })
    post(m)
  }),
  event: ({ name, payload }) => { puppet.emit(name, payload) },
  async topic ({ id, topic, silent }) {
    const payload = mocker.cacheRoomPayload.get(id)
    const oldTopic = payload.topic
    payload.topic = topic
    await puppet.roomPayloadDirty(id)
    if (!silent) puppet.emit('room-topic', { roomId: id, changerId: bot.id, newTopic: topic, oldTopic, timestamp: Date.now() })
  },
  alias: ({ room, contact, alias }) => { aliases.set(room + ' ' + contact, alias) },
  lose: ({ id, times }) => { knobs.lose.set(id, times) },
  knobs: values => { Object.assign(knobs, values) },
  login: () => login(),
  logout: () => puppet.logout('logout'),
  ping: () => process.pid,
}

const server = new PuppetServer({
  endpoint: '127.0.0.1:' + config.grpcPort,
  puppet,
  token: config.token,
  tls: config.tls ? { serverCert: config.tls.cert, serverKey: config.tls.key } : { disable: true },
})
setUp(config.world)
await server.start()

net.createServer(socket => {
  let buffered = ''
  socket.setEncoding('utf8')
  socket.on('error', () => {})
  socket.on('data', async data => {
    buffered += data
    if (!buffered.endsWith('\n')) return
    const { op, ...args } = JSON.parse(buffered)
    buffered = ''
    try {
      socket.end(JSON.stringify({ ok: (await ops[op](args)) ?? null }) + '\n')
    } catch (e) {
      socket.end(JSON.stringify({ error: e.stack }) + '\n')
    }
  })
}).listen(config.controlPort, '127.0.0.1')
