import { Controller } from "@hotwired/stimulus"

// Saves the codes on the page as a text file, without asking the server for them again: it no longer knows them.
export default class extends Controller<HTMLElement> {
  static override targets = ["code", "download"]
  static override values = { heading: String, file: { type: String, default: "chaperone-backup-codes.txt" } }
  declare readonly codeTargets: HTMLElement[]
  declare readonly downloadTarget: HTMLButtonElement
  declare readonly headingValue: string
  declare readonly fileValue: string

  override connect(): void {
    this.downloadTarget.hidden = false
  }

  download(): void {
    const lines = [this.headingValue, "Each code works once.", "", ...this.codeTargets.map(code => code.textContent?.trim() ?? ""), ""]
    const link = document.createElement("a")
    link.href = URL.createObjectURL(new Blob([lines.join("\r\n")], { type: "text/plain" }))
    link.download = this.fileValue
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 1000)
  }
}
