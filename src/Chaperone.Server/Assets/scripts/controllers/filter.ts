import { Controller } from "@hotwired/stimulus"

// A form that only chooses what is shown: sends itself when something was chosen. Without script its button does.
export default class extends Controller<HTMLFormElement> {
  static override targets = ["button"]
  declare readonly buttonTarget: HTMLButtonElement

  override connect(): void {
    this.buttonTarget.hidden = true
  }

  send(): void {
    if (this.element.reportValidity()) this.element.requestSubmit()
  }
}
