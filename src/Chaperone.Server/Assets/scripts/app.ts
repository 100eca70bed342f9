import "@hotwired/turbo"
import { Application } from "@hotwired/stimulus"
import AgendaController from "./controllers/agenda"
import BackupCodesController from "./controllers/backup-codes"
import BookingController from "./controllers/booking"
import CodeController from "./controllers/code"
import ConfirmController from "./controllers/confirm"
import CopyController from "./controllers/copy"
import DiaryController from "./controllers/diary"
import DiaryDialogController from "./controllers/diary-dialog"
import DrawerController from "./controllers/drawer"
import ErrorSummaryController from "./controllers/error-summary"
import FilterController from "./controllers/filter"
import FindController from "./controllers/find"
import PaletteController from "./controllers/palette"
import PollController from "./controllers/poll"
import PrintController from "./controllers/print"
import ShortcutsController from "./controllers/shortcuts"
import TailController from "./controllers/tail"
import ThemeController from "./controllers/theme"
import UploadController from "./controllers/upload"
import { guardSession } from "./session"

const application = Application.start()
application.register("agenda", AgendaController)
application.register("backup-codes", BackupCodesController)
application.register("booking", BookingController)
application.register("code", CodeController)
application.register("confirm", ConfirmController)
application.register("copy", CopyController)
application.register("diary", DiaryController)
application.register("diary-dialog", DiaryDialogController)
application.register("drawer", DrawerController)
application.register("error-summary", ErrorSummaryController)
application.register("filter", FilterController)
application.register("find", FindController)
application.register("palette", PaletteController)
application.register("poll", PollController)
application.register("print", PrintController)
application.register("shortcuts", ShortcutsController)
application.register("tail", TailController)
application.register("theme", ThemeController)
application.register("upload", UploadController)

guardSession()
