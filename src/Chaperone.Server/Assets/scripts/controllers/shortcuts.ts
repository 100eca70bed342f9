import { visit } from "@hotwired/turbo"
import { Controller } from "@hotwired/stimulus"

// "/" goes to the find box; a page's own keys press what carries data-key. Single keys must be possible to switch off (WCAG 2.1.4): the user menu has the tick.
export default class extends Controller<HTMLElement> {
  static override targets = ["tick", "setting"]
  static override values = { find: String }
  declare readonly tickTarget: HTMLInputElement
  declare readonly settingTarget: HTMLElement
  declare readonly hasTickTarget: boolean
  declare readonly findValue: string
  private readonly press = (event: KeyboardEvent) => this.onKey(event)

  override connect(): void {
    document.addEventListener("keydown", this.press)
    if (!this.hasTickTarget) return
    this.settingTarget.hidden = false
    this.tickTarget.checked = this.on
  }

  override disconnect(): void {
    document.removeEventListener("keydown", this.press)
  }

  toggle(): void {
    try { localStorage.setItem("chaperone.shortcuts", this.tickTarget.checked ? "on" : "off") } catch { /* holds for this page only */ }
  }

  private get on(): boolean {
    try { return localStorage.getItem("chaperone.shortcuts") !== "off" } catch { return true }
  }

  private onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || !this.on) return
    if ((event.target as Element).closest("input, textarea, select, [contenteditable], dialog[open]") || document.querySelector("dialog[open]")) return
    const pressed = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`)
    if (pressed) { event.preventDefault(); pressed.click(); return }
    if (event.key !== "/") return
    const box = document.querySelector<HTMLInputElement>("[data-find-box]")
    if (!box && !this.findValue) return
    event.preventDefault()
    if (box) { box.focus(); box.select() } else visit(this.findValue)
  }
}
