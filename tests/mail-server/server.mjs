// A mail server on loopback. Its behaviour comes as lines of JSON on standard input, the first before it listens; what happens goes out as lines of JSON.
import { createServer } from "node:net"
import { createInterface } from "node:readline"
import { SMTPServer } from "smtp-server"

let how = {}
const tell = event => process.stdout.write(JSON.stringify(event) + "\n")
const refusal = code => Object.assign(new Error("Said by the test"), { responseCode: code })

function listen() {
  if (how.silent) return createServer(() => tell({ event: "connected" })).listen(how.port ?? 0, "127.0.0.1", function () { tell({ event: "listening", port: this.address().port }) })
  if (how.says) return createServer(socket => socket.on("error", () => {}).end(how.says)).listen(how.port ?? 0, "127.0.0.1", function () { tell({ event: "listening", port: this.address().port }) })
  const server = new SMTPServer({
    secure: how.secure ?? false,
    key: how.key,
    cert: how.cert,
    authOptional: !how.password,
    authMethods: how.authMethods ?? ["PLAIN", "LOGIN"],
    disabledCommands: how.disabled ?? [],
    hideSTARTTLS: false,
    size: how.size,
    disableReverseLookup: true,
    logger: false,
    onAuth(auth, session, done) {
      const right = auth.username === how.user && auth.password === how.password
      tell({ event: "auth", method: auth.method, right, secure: session.secure })
      return right ? done(null, { user: auth.username }) : done(refusal(535))
    },
    onMailFrom(address, session, done) { done(how.refuseSender ? refusal(how.refuseSender) : null) },
    onRcptTo(address, session, done) {
      if (how.busyTimes > 0) { how.busyTimes--; tell({ event: "busy" }); return done(refusal(451)) }
      done(how.refuseRecipient && (!how.refuseOnly || how.refuseOnly === address.address) ? refusal(how.refuseRecipient) : null)
    },
    onData(stream, session, done) {
      const parts = []
      stream.on("data", part => parts.push(part))
      stream.on("end", () => {
        if (stream.sizeExceeded) return done(refusal(552))
        if (how.refuseContent) return done(refusal(how.refuseContent))
        tell({ event: "mail", from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map(to => to.address), secure: session.secure, user: session.user ?? null, data: Buffer.concat(parts).toString("base64") })
        // Having it and not saying so: what a connection that breaks at the worst moment looks like.
        if (how.hangAfterData) return
        done()
      })
    },
  })
  server.on("error", error => tell({ event: "error", code: error.code ?? "unknown" }))
  server.listen(how.port ?? 0, "127.0.0.1", () => tell({ event: "listening", port: server.server.address().port }))
}

let listening = false
createInterface({ input: process.stdin }).on("line", line => {
  how = { ...how, ...JSON.parse(line) }
  if (listening) return tell({ event: "changed" })
  listening = true
  listen()
}).on("close", () => process.exit(0))
