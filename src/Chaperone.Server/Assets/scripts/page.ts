// Asking the server for what a page shows, from within the page.
export const DialogHeader = { "X-Chaperone-Dialog": "1" }
export const BackgroundHeader = { "X-Chaperone-Background": "1" }

export interface Done { id: string; version: number; day: string; said: string; waiting: number; practitioner: string; from: string; to: string; status: string }
export interface Refusal { title: string; next: string; status: number; code?: string }

export const signedOut: Refusal = { title: "You have been signed out.", next: "Sign in again in another tab, then repeat this.", status: 401 }
export const unreachable: Refusal = { title: "The clinic's server did not answer.", next: "Nothing was changed. Try again in a moment.", status: 0 }

// The page at an address, or null when it cannot be had (the session ended, the server is away).
export async function pageAt(url: string, headers: Record<string, string> = {}): Promise<Document | null> {
  try {
    const answer = await fetch(url, { headers })
    if (answer.redirected && new URL(answer.url).pathname !== new URL(url, location.href).pathname) return null
    return new DOMParser().parseFromString(await answer.text(), "text/html")
  } catch { return null }
}

// Asks every so often whether the server's stamp is still the one shown, only while somebody can see the page. It does not count as using the session.
export class Watch {
  private timer = 0
  private failed = 0
  private readonly look = () => { if (!document.hidden) void this.ask() }

  constructor(private readonly url: string, private stamp: string, private readonly changed: (stamp: string) => Promise<void>, private readonly seconds = 25) {
    this.timer = window.setInterval(this.look, this.seconds * 1000)
    document.addEventListener("visibilitychange", this.look)
  }

  stop(): void {
    clearInterval(this.timer)
    document.removeEventListener("visibilitychange", this.look)
  }

  set(stamp: string): void {
    this.stamp = stamp
  }

  private async ask(): Promise<void> {
    try {
      const answer = await fetch(this.url, { headers: BackgroundHeader })
      if (answer.redirected || answer.status === 401 || answer.status === 403) { this.stop(); return }
      if (!answer.ok) throw new Error("not now")
      this.failed = 0
      const { stamp } = await answer.json() as { stamp: string }
      if (stamp !== this.stamp) await this.changed(stamp)
    } catch {
      if (++this.failed > 20) this.stop()
    }
  }
}

// What the server refused, in words for people.
export async function refusalOf(answer: Response): Promise<Refusal> {
  if (answer.status === 401 || answer.redirected) return signedOut
  try {
    const { title, next, code, fields } = await answer.json() as { title: string; next: string; code: string; fields?: Record<string, string> }
    return { title, next: fields ? Object.values(fields).join(" ") : next, status: answer.status, code }
  } catch { return { title: "That was not done.", next: "Reload the page and try again.", status: answer.status } }
}
