import { Controller } from "@hotwired/stimulus"

// Turns a <details> that asks "are you sure" into a modal dialog. Without script the details open in place.
export default class extends Controller<HTMLDetailsElement> {
  static override targets = ["panel"]
  declare readonly panelTarget: HTMLElement
  declare readonly hasPanelTarget: boolean
  private dialog: HTMLDialogElement | null = null

  override connect(): void {
    if (!this.hasPanelTarget) return
    const dialog = document.createElement("dialog")
    dialog.className = "confirm-dialog"
    dialog.setAttribute("aria-labelledby", this.panelTarget.getAttribute("aria-labelledby") ?? "")
    dialog.append(this.panelTarget)
    dialog.addEventListener("click", event => {
      const target = event.target as Element
      if (target === dialog || target.closest("[data-confirm-cancel]")) { event.preventDefault(); dialog.close() }
    })
    this.element.after(dialog)
    this.dialog = dialog
    this.element.querySelector("summary")?.setAttribute("aria-haspopup", "dialog")
    if (this.element.open) { this.element.open = false; dialog.showModal() }
  }

  override disconnect(): void {
    if (!this.dialog) return
    this.element.append(...this.dialog.childNodes)
    this.dialog.remove()
    this.dialog = null
  }

  open(event: Event): void {
    if (!this.dialog) return
    event.preventDefault()
    this.dialog.showModal()
  }
}
