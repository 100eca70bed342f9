import { Controller } from "@hotwired/stimulus"

// Takes the focus when a page comes back with errors; a link in it leads to the field itself, label in view.
export default class extends Controller<HTMLElement> {
  override connect(): void {
    this.element.focus()
  }

  go(event: Event): void {
    const id = (event.currentTarget as HTMLAnchorElement).hash.slice(1)
    const field = document.getElementById(id)
    if (!field) return
    event.preventDefault()
    const label = document.querySelector(`label[for="${CSS.escape(id)}"]`) ?? field
    label.scrollIntoView({ block: "center" })
    field.focus({ preventScroll: true })
  }
}
