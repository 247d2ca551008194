// @fastify/jwt on fastify: `node server.js PORT open`, `guarded`, or `cached`.
'use strict'

const fastify = require('fastify')()

const [port, mode] = process.argv.slice(2)

if (mode === 'open') {
  fastify.get('/', async () => 'ada')
} else {
  fastify.register(require('@fastify/jwt'), {
    secret: process.env.PEERS_SECRET,
    ...(mode === 'cached' && { verify: { cache: true } })
  })

  fastify.decorate('authenticate', async (request, reply) => {
    try {
      await request.jwtVerify()
    } catch (err) {
      reply.send(err)
    }
  })

  fastify.register(async (fastify) => {
    fastify.get('/', { onRequest: [fastify.authenticate] }, async (request) => request.user.sub)
  })
}

fastify.listen({ port: Number(port), host: '127.0.0.1' })
