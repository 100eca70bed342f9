import { Controller } from "@hotwired/stimulus"

// A one-time code typed or pasted with spaces or dashes ("123 456") becomes its digits. It does not submit by itself.
export default class extends Controller<HTMLInputElement> {
  clean(): void {
    const digits = this.element.value.replace(/\D/g, "").slice(0, 6)
    if (digits !== this.element.value) this.element.value = digits
  }
}
