import { Controller } from "@hotwired/stimulus"

// The form of an appointment: takes the patient that was found, and shows how long a type lasts while nothing else is typed.
export default class extends Controller<HTMLElement> {
  static override targets = ["find", "form", "patient", "label", "chosen", "name", "type", "minutes", "register"]
  declare readonly findTarget: HTMLElement
  declare readonly formTarget: HTMLFormElement
  declare readonly patientTarget: HTMLInputElement
  declare readonly labelTarget: HTMLInputElement
  declare readonly chosenTarget: HTMLElement
  declare readonly nameTarget: HTMLElement
  declare readonly typeTarget: HTMLSelectElement
  declare readonly minutesTarget: HTMLInputElement
  declare readonly registerTarget: HTMLAnchorElement
  declare readonly hasRegisterTarget: boolean
  private readonly carry = () => this.carryOver()

  override connect(): void {
    this.typed()
    if (this.hasRegisterTarget) this.registerTarget.addEventListener("click", this.carry)
  }

  override disconnect(): void {
    if (this.hasRegisterTarget) this.registerTarget.removeEventListener("click", this.carry)
  }

  choose(event: Event): void {
    event.preventDefault()
    const { patient, label } = (event.currentTarget as HTMLElement).dataset
    this.patientTarget.value = patient ?? ""
    this.labelTarget.value = label ?? ""
    this.nameTarget.textContent = label ?? ""
    this.chosenTarget.hidden = false
    this.findTarget.hidden = true
    this.typeTarget.focus()
  }

  again(event: Event): void {
    event.preventDefault()
    this.patientTarget.value = this.labelTarget.value = ""
    this.chosenTarget.hidden = true
    this.findTarget.hidden = false
    const box = this.findTarget.querySelector<HTMLInputElement>("[data-find-box]")
    box?.focus()
    box?.select()
  }

  typed(): void {
    this.minutesTarget.placeholder = this.typeTarget.selectedOptions[0]?.dataset.minutes ?? ""
  }

  // Whoever registers a new patient comes back to the same time.
  private carryOver(): void {
    const fields = new FormData(this.formTarget)
    const query = new URLSearchParams()
    for (const [field, name] of [["practitionerId", "practitioner"], ["type", "type"], ["date", "date"], ["time", "time"], ["minutes", "minutes"]] as const) {
      const value = fields.get(field)
      if (typeof value === "string" && value) query.set(name, value)
    }
    this.registerTarget.href = `/patients/new?${new URLSearchParams({ to: `/schedule/book?${query}` })}`
  }
}
