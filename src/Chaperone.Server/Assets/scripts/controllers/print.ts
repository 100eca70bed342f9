import { Controller } from "@hotwired/stimulus"

export default class extends Controller<HTMLButtonElement> {
  override connect(): void {
    this.element.hidden = false
  }

  print(): void {
    window.print()
  }
}
