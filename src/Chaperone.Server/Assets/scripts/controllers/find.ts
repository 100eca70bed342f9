import { Controller } from "@hotwired/stimulus"

// The find box: posts itself into its frame a moment after typing stops; arrow keys walk the results, Escape returns to the box.
// Every submission is an event in the log, so it waits for a pause and for two characters.
export default class extends Controller<HTMLFormElement> {
  static override targets = ["box"]
  static override values = { delay: { type: Number, default: 300 }, least: { type: Number, default: 2 }, results: String }
  declare readonly boxTarget: HTMLInputElement
  declare readonly delayValue: number
  declare readonly leastValue: number
  declare readonly resultsValue: string
  private timer = 0
  private sent = ""
  private readonly walk = (event: KeyboardEvent) => this.onKey(event)

  override connect(): void {
    this.sent = this.boxTarget.value.trim()
    document.addEventListener("keydown", this.walk)
  }

  override disconnect(): void {
    clearTimeout(this.timer)
    document.removeEventListener("keydown", this.walk)
  }

  type(): void {
    clearTimeout(this.timer)
    const text = this.boxTarget.value.trim()
    if (text.length === 0) this.clear()
    if (text === this.sent || text.length < this.leastValue) return
    this.timer = window.setTimeout(() => this.send(), this.delayValue)
  }

  submitted(): void {
    clearTimeout(this.timer)
    this.sent = this.boxTarget.value.trim()
  }

  // An emptied box takes its results away, and the list under it is back.
  private clear(): void {
    this.sent = ""
    document.getElementById(this.resultsValue)?.replaceChildren()
  }

  private send(): void {
    this.element.requestSubmit()
  }

  private onKey(event: KeyboardEvent): void {
    const links = [...document.querySelectorAll<HTMLElement>(`#${CSS.escape(this.resultsValue)} [data-result]`)]
    const at = links.indexOf(document.activeElement as HTMLElement)
    const inBox = document.activeElement === this.boxTarget
    if ((at < 0 && !inBox) || event.ctrlKey || event.altKey || event.metaKey) return
    if (event.key === "ArrowDown" && links.length > 0) {
      event.preventDefault()
      links[Math.min(at + 1, links.length - 1)]?.focus()
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault()
      if (at === 0) this.boxTarget.focus()
      else links[at - 1]?.focus()
    } else if (event.key === "Escape" && at >= 0) {
      this.boxTarget.focus()
      this.boxTarget.select()
    }
  }
}
