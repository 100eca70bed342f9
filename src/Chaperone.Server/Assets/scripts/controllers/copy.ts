import { Controller } from "@hotwired/stimulus"

// Copies the source's text and says so on the button itself, politely.
export default class extends Controller<HTMLElement> {
  static override targets = ["source", "button", "status"]
  declare readonly sourceTarget: HTMLElement
  declare readonly buttonTarget: HTMLButtonElement
  declare readonly statusTarget: HTMLElement
  private timer = 0

  override connect(): void {
    this.buttonTarget.hidden = !navigator.clipboard
  }

  override disconnect(): void {
    clearTimeout(this.timer)
  }

  async copy(): Promise<void> {
    const source = this.sourceTarget
    const text = source instanceof HTMLInputElement ? source.value : source.dataset.copyText ?? source.innerText
    try {
      await navigator.clipboard.writeText(text)
      this.statusTarget.textContent = "Copied"
    } catch {
      this.statusTarget.textContent = "Copying is blocked by the browser; select the text instead"
    }
    clearTimeout(this.timer)
    this.timer = window.setTimeout(() => { this.statusTarget.textContent = "" }, 4000)
  }
}
