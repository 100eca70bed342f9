import { Controller } from "@hotwired/stimulus"
import { BackgroundHeader } from "../page"

// Puts events that came since above those that are shown, while somebody can see the page. Leaving the page ends it.
export default class extends Controller<HTMLElement> {
  static override targets = ["list", "status"]
  static override values = { url: String, stop: String, token: String }
  declare readonly listTarget: HTMLElement
  declare readonly statusTarget: HTMLElement
  declare readonly urlValue: string
  declare readonly stopValue: string
  declare readonly tokenValue: string
  private timer = 0
  private failed = 0
  private ended = false
  private readonly most = 500
  private readonly gone = () => this.end()

  override connect(): void {
    window.addEventListener("pagehide", this.gone)
    this.later(2000)
  }

  override disconnect(): void {
    window.removeEventListener("pagehide", this.gone)
    this.end()
  }

  stopped(): void {
    this.ended = true
    clearTimeout(this.timer)
  }

  private later(wait: number): void {
    clearTimeout(this.timer)
    this.timer = window.setTimeout(() => { void this.ask() }, wait)
  }

  private async ask(): Promise<void> {
    try {
      const first = this.listTarget.querySelector<HTMLElement>("[data-event]")?.dataset.event ?? ""
      const answer = await fetch(`${this.urlValue}?after=${first}`, { headers: BackgroundHeader })
      if (this.ended) return
      if (answer.redirected || answer.status === 401 || answer.status === 403 || answer.status === 404) { this.tell("This page no longer follows the log."); this.ended = true; return }
      if (!answer.ok) throw new Error("not now")
      this.failed = 0
      this.take(new DOMParser().parseFromString(await answer.text(), "text/html"))
      this.later(2000)
    } catch {
      this.later(Math.min(60_000, 2000 * 2 ** ++this.failed))
    }
  }

  private take(page: Document): void {
    const body = this.listTarget.querySelector("tbody")
    if (!body) return
    const fresh = [...page.querySelectorAll<HTMLElement>("[data-event]")].filter(row => !body.querySelector(`[data-event="${row.dataset.event}"]`))
    // Oldest first, so that the newest ends on top.
    for (const row of fresh.reverse()) {
      const more = row.nextElementSibling
      row.classList.add("audit-new")
      if (more) body.prepend(more)
      body.prepend(row)
    }
    while (body.children.length > 2 * this.most) body.lastElementChild!.remove()
    if (fresh.length > 0) this.tell(fresh.length === 1 ? "One new event." : `${fresh.length} new events.`)
  }

  private tell(text: string): void {
    this.statusTarget.textContent = text
  }

  private end(): void {
    clearTimeout(this.timer)
    if (this.ended) return
    this.ended = true
    navigator.sendBeacon(this.stopValue, new URLSearchParams({ __token: this.tokenValue }))
  }
}
