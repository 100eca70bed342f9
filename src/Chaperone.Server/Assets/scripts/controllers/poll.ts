import { Controller } from "@hotwired/stimulus"

// Asks the surrounding Turbo frame for its page again after a while. Each answer replaces this element, so an answer
// without the controller ends the polling. A failed request waits twice as long, up to a minute.
export default class extends Controller<HTMLElement> {
  static override values = { url: String, interval: { type: Number, default: 1000 } }
  declare readonly urlValue: string
  declare readonly intervalValue: number
  private timer = 0
  private wait = 0
  private frame: HTMLTurboFrame | null = null
  private readonly again = () => this.later(Math.min(this.wait * 2, 60_000))

  override connect(): void {
    this.frame = this.element.closest<HTMLTurboFrame>("turbo-frame")
    this.frame?.addEventListener("turbo:fetch-request-error", this.again)
    this.later(this.intervalValue)
  }

  override disconnect(): void {
    clearTimeout(this.timer)
    this.frame?.removeEventListener("turbo:fetch-request-error", this.again)
  }

  private later(wait: number): void {
    clearTimeout(this.timer)
    this.wait = wait
    this.timer = window.setTimeout(() => this.ask(), wait)
  }

  private ask(): void {
    if (document.hidden) { this.later(this.intervalValue); return }
    const frame = this.frame
    if (!frame) return
    if (frame.src === new URL(this.urlValue, location.href).href) void frame.reload()
    else frame.src = this.urlValue
  }
}
