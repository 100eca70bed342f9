import { Controller } from "@hotwired/stimulus"

// The command palette. Typing narrows the commands; a patient is only searched for when asked (Enter with no command left, or the first entry), because each search is an event in the log.
export default class extends Controller<HTMLElement> {
  static override targets = ["opener", "dialog", "form", "text", "find", "wanted", "frame", "command", "none"]
  declare readonly openerTarget: HTMLElement
  declare readonly dialogTarget: HTMLDialogElement
  declare readonly formTarget: HTMLFormElement
  declare readonly textTarget: HTMLInputElement
  declare readonly findTarget: HTMLElement
  declare readonly hasFindTarget: boolean
  declare readonly wantedTarget: HTMLElement
  declare readonly frameTarget: HTMLElement
  declare readonly commandTargets: HTMLElement[]
  declare readonly noneTarget: HTMLElement

  override connect(): void {
    this.openerTarget.hidden = false
  }

  override disconnect(): void {
    this.dialogTarget.close()
  }

  key(event: KeyboardEvent): void {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
    event.preventDefault()
    if (this.dialogTarget.open) this.dialogTarget.close()
    else if (!document.querySelector("dialog[open]")) this.open()
  }

  open(): void {
    this.textTarget.value = ""
    if (this.hasFindTarget) this.frameTarget.replaceChildren()
    this.filter()
    this.dialogTarget.showModal()
    this.textTarget.focus()
  }

  outside(event: Event): void {
    if (event.target === this.dialogTarget) this.dialogTarget.close()
  }

  filter(): void {
    const words = this.text.toLocaleLowerCase().split(/\s+/).filter(word => word.length > 0)
    for (const command of this.commandTargets) {
      const label = (command.textContent ?? "").toLocaleLowerCase()
      command.hidden = !words.every(word => label.includes(word))
    }
    this.noneTarget.hidden = this.left.length > 0
    if (!this.hasFindTarget) return
    this.findTarget.hidden = words.length === 0
    this.wantedTarget.textContent = this.text
    this.frameTarget.replaceChildren()
  }

  // Enter in the box: the first command that is left, else the search.
  submit(event: Event): void {
    if (this.searching) { this.searching = false; return }
    const first = this.left[0]
    if (this.text.length > 0 && !first && this.hasFindTarget) return
    event.preventDefault()
    if (this.text.length > 0) first?.querySelector("a")?.click()
  }

  private searching = false

  search(): void {
    this.searching = true
    this.formTarget.requestSubmit()
  }

  found(): void {
    this.noneTarget.hidden = true
    this.frameTarget.querySelector<HTMLElement>("[data-result]")?.focus()
  }

  walk(event: KeyboardEvent): void {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
    const stops = [this.textTarget, ...this.dialogTarget.querySelectorAll<HTMLElement>(".palette-item, [data-result]")].filter(stop => !stop.hidden && !stop.closest("[hidden]"))
    const at = stops.indexOf(document.activeElement as HTMLInputElement)
    event.preventDefault()
    stops[Math.max(0, Math.min(stops.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))]?.focus()
  }

  private get text(): string {
    return this.textTarget.value.trim()
  }

  private get left(): HTMLElement[] {
    return this.commandTargets.filter(command => !command.hidden)
  }
}
