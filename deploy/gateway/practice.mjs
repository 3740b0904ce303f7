// Practice without WeChat: the rooms of GATEWAY_PRACTICE_ROOMS, in which say.mjs speaks for anybody.
//
// A port on loopback takes {room, who, text} and gives all that was said in the rooms. Nothing of it reaches WeChat.
import http from 'node:http'
import * as PUPPET from 'wechaty-puppet'
import { PuppetMock, mock } from 'wechaty-puppet-mock'

const PORT = Number(process.env.GATEWAY_PRACTICE_PORT ?? 8789)
const TOPICS = (process.env.GATEWAY_PRACTICE_ROOMS ?? '').split(/[,，、]/).map(topic => topic.trim()).filter(Boolean)
const BOT = { id: 'practice-bot', name: process.env.BOT_NAME ?? '派单助手' }
const MOST_BYTES = 64 * 1024

const mocker = new mock.Mocker()
const said = [] // {room, who, text}, in order
let messages = 0

class PracticePuppet extends PuppetMock {

  async roomMemberRawPayload (roomId, contactId) {
    const payload = await super.roomMemberRawPayload(roomId, contactId)
    return { ...payload, roomAlias: contactId === BOT.id ? '' : payload.name }
  }

  async messageSendText (to, text) {
    return post(to, BOT, text)
  }

  async messageSendFile (to, box) {
    return post(to, BOT, `[${box.name}]`, PUPPET.types.Message.Attachment)
  }

}

const puppet = new PracticePuppet({ mocker })

function post (roomId, person, text, type = PUPPET.types.Message.Text) {
  const id = `practice-${process.pid}-${++messages}`
  mocker.cacheMessagePayload.set(id, { id, talkerId: person.id, roomId, listenerId: '', timestamp: Date.now(), type, text, mentionIdList: [] })
  said.push({ room: mocker.cacheRoomPayload.get(roomId)?.topic ?? roomId, who: person.name, text })
  puppet.emit('message', { messageId: id })
  return id
}

function personOf (room, name) {
  const id = 'practice-' + name
  if (!mocker.cacheContactPayload.has(id)) mocker.createContact({ id, name })
  if (!room.memberIdList.includes(id)) room.memberIdList.push(id)
  return { id, name }
}

function say ({ room: topic, who, text }) {
  const room = [...mocker.cacheRoomPayload.values()].find(each => each.topic === topic)
  if (!room) throw new Error(`no room ${topic}; there are ${TOPICS.join('、')} (GATEWAY_PRACTICE_ROOMS)`)
  if (!who || !text) throw new Error('say who speaks, and what')
  post(room.id, personOf(room, who), text)
}

function serve () {
  http.createServer(async (request, response) => {
    const answer = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
      response.end(JSON.stringify(body))
    }
    try {
      let body = ''
      for await (const part of request.setEncoding('utf8')) {
        body += part
        if (body.length > MOST_BYTES) throw new Error('too long')
      }
      const from = said.length
      if (body) say(JSON.parse(body))
      answer(200, { from, said })
    } catch (error) {
      answer(400, { error: error.message })
    }
  }).listen(PORT, '127.0.0.1')
}

export function makePuppet () {
  const bot = mocker.createContact(BOT)
  TOPICS.forEach((topic, number) => {
    mocker.createRoom({ id: `practice-${number + 1}@chatroom`, topic, memberIdList: [BOT.id], ownerId: BOT.id, adminIdList: [] })
  })
  puppet.on('start', () => { if (!puppet.isLoggedIn) mocker.login(bot) })
  serve()
  return puppet
}
