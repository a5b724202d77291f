// An Express application behind express-openid-connect: code by form_post, back-channel logout. JSON lines with the test:
// first line in: {port, certificate, key, issuer, client_id, client_secret, more}; out: {listening}.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createInterface } from 'node:readline'
import express from 'express'
import openid from 'express-openid-connect'

/** The smallest store that express-session's interface allows: what is in memory. */
class Memory {
  kept = new Map()
  get(id, done) { done(null, this.kept.get(id)) }
  set(id, session, done) { this.kept.set(id, session); done?.(null) }
  destroy(id, done) { this.kept.delete(id); done?.(null) }
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const settings = JSON.parse((await lines.next()).value)
const app = express()
app.use(openid.auth({
  issuerBaseURL: settings.issuer,
  baseURL: `https://localhost:${settings.port}`,
  clientID: settings.client_id,
  clientSecret: settings.client_secret,
  secret: 'only for this test, but long enough',
  authRequired: false,
  idpLogout: true,
  authorizationParams: { response_type: 'code', response_mode: 'form_post', scope: 'openid profile email' },
  session: { store: new Memory() },
  backchannelLogout: true,
  routes: { postLogoutRedirect: '/out' },
  ...settings.more,
}))
app.get('/out', (request, response) => response.type('text').send('you are out'))
app.get('/', openid.requiresAuth(), async (request, response) => {
  response.json({ claims: request.oidc.idTokenClaims, person: await request.oidc.fetchUserInfo() })
})
app.get('/refresh', openid.requiresAuth(), async (request, response) => {
  const before = request.oidc.accessToken.access_token
  const { access_token: after } = await request.oidc.accessToken.refresh()
  response.json({ renewed: after !== before, person: await request.oidc.fetchUserInfo() })
})
app.use((error, request, response, next) => { // eslint-disable-line no-unused-vars -- Express knows it by its four parameters
  console.error(error)
  response.status(error.status ?? 500).type('text').send(`${error.error ?? ''} ${error.message}`)
})
createServer({ cert: readFileSync(settings.certificate), key: readFileSync(settings.key) }, app).listen(settings.port, 'localhost', () => {
  process.stdout.write(JSON.stringify({ listening: settings.port }) + '\n')
})
