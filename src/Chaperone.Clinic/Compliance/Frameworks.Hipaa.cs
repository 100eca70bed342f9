using Chaperone.Ledger;

namespace Chaperone.Clinic.Compliance;

internal static partial class Frameworks
{
    private static Framework Hipaa { get; } = new("hipaa", "HIPAA", "Technical safeguards (45 CFR 164.312), and the activity review the log serves (164.308)",
        "Audit controls are 164.312(b); their neighbours are here where the log shows them. Times of clinics outside the United States are their own.",
    [
        new("164.308(a)(1)(ii)(D)", "Records of activity, such as audit logs and reports, are reviewed regularly.", Coverage.Partly,
            "The viewer filters by everything, shows the log in numbers and is followed as it grows; filters are kept; each look at the log is itself an event.")
        {
            Missing = "Reviews are not scheduled and signed off in Chaperone.",
            Yours = ["Decide who reviews the log, how often, and note that they did."],
            Events = ["audit.viewed", "audit.tail_started", "audit.filter_saved"],
            Tests = [Clinic + "AuditLog.LogViewTests.Numbers_of_a_view_are_those_of_its_events", Clinic + "AuditLog.ViewAuditLogTests.Own_look_at_the_log_is_in_it_the_next_time_with_hits_and_fields_and_no_values"],
        },
        new("164.308(a)(5)(ii)(C)", "Sign-ins are monitored and discrepancies reported.", Coverage.Covered,
            "Every sign-in and every failure is an event; five failures lock the account, and a lock, a sign-in from a new device and a copied session are told by mail.")
        {
            Yours = ["Follow up what the mails tell."],
            Events = ["auth.login.success", "auth.login.failure", "auth.2fa_failed", "auth.locked", "security.session_hijack"],
            Tests = [Clinic + "Mail.SignInMailTests.A_lock_is_told_to_its_person_and_to_who_can_unlock_and_to_nobody_for_an_unknown_address", Product + "GuessingTests.Of_200_parallel_guesses_at_most_five_are_evaluated_and_the_account_is_locked"],
        },
        new("164.312(a)(1)", "Only who was given the right reaches electronic health information.", Coverage.Covered,
            "Every page and API route runs an operation whose permission and relation are decided before it; what is not allowed is refused and logged.")
        {
            Yours = ["Give each person the roles their work needs, and take them away in time."],
            Events = ["staff.role_changed", "staff.deactivated"],
            Refusals = true,
            Tests = [Product + "AccessMatrixTests.Every_route_refuses_every_role_without_its_permission", Product + "EndpointInventoryTests.Every_route_runs_operations_or_says_why_not", Clinic + "Team.ChangeRolesTests.Other_roles_hold_from_the_next_request_and_stand_in_the_log"],
        },
        new("164.312(a)(2)(i)", "Everybody has a unique identification by which they are tracked.", Coverage.Covered,
            "Each person has an account of their own with one address; every event carries the account, role, session and path.")
        {
            Yours = ["Share no accounts."],
            Events = ["staff.created", "auth.login.success"],
            Tests = [Clinic + "Team.AccountActionsTests.Address_belongs_to_one_account_however_it_is_written", Platform + "Operations.ReferenceMonitorTests.Change_and_event_are_one_commit_and_the_event_names_subject_record_and_rule"],
        },
        new("164.312(a)(2)(ii)", "There is a way to needed health information in an emergency.", Coverage.Not, "Nothing yet: emergency access with a reason and a review afterwards does not exist.")
        {
            Missing = "Until it does, an owner gives somebody the role they need; that is an event.",
            Yours = ["Have a procedure for emergencies that does not need it."],
        },
        new("164.312(a)(2)(iii)", "A session ends by itself after a time without use.", Coverage.Covered,
            "A session ends after 30 minutes without use and after twelve hours whatever its use; what an open page asks by itself does not count as use.")
        {
            Yours = ["Have screens lock themselves."],
            Events = ["auth.logout", "auth.session_ended"],
            Tests = [Clinic + "SignIn.AccountTests.Session_ends_when_idle_and_after_twelve_hours_whatever_its_use"],
        },
        new("164.312(a)(2)(iv)", "Health information is encrypted and decrypted by a mechanism.", Coverage.Covered,
            "Every field of personal data and every file is sealed with AES-256-GCM under keys of the clinic and of the person.")
        {
            Yours = ["Keep the root key safe and apart."],
            Events = ["security.seal_broken"],
            Tests = [Sealing + "SealedPayloadTests.Layout_is_the_documented_one_opened_by_hand", Product + "CanaryTests.No_personal_data_lies_on_disk_or_in_logs_in_clear"],
        },
        new("164.312(b)", "Mechanisms record and examine activity in systems that hold health information.", Coverage.Covered,
            "Every operation leaves an event with who, what, when, from where, by which path, under which decision and with what outcome, or it fails; the log proves itself to outsiders.")
        {
            Yours = ["Examine it: see 164.308(a)(1)(ii)(D)."],
            Categories = [EventCategory.Authentication, EventCategory.DataAccess, EventCategory.DataChange, EventCategory.Administration, EventCategory.Security],
            Tests =
            [
                Platform + "Operations.ReferenceMonitorTests.When_the_log_cannot_be_written_nothing_is_shown_or_changed", Platform + "Operations.ReferenceMonitorTests.Operation_without_a_complete_policy_is_refused_at_start_up",
                Product + "EventTests.Each_act_of_a_patients_life_leaves_exactly_its_event", Product + "EventTests.A_refusal_leaves_an_event_that_says_so",
                Ledger + "InteropTests.Logs_of_all_shapes_are_accepted_by_both",
            ],
        },
        new("164.312(c)(1)", "Health information is protected from improper alteration or destruction.", Coverage.Partly,
            "Each change names the digest of the record it left behind, so that a record edited, rolled back or deleted past the program is found and named.")
        {
            Missing = "Destruction is found, not undone: backups are not part of Chaperone yet.",
            Yours = ["Back up the data folder."],
            Events = ["ledger.verified", "ledger.verification_failed", "record.attested"],
            Tests = [Platform + "Ledger.TamperingTests.A_deleted_record_that_its_event_names_is_good_and_bringing_it_back_is_not", Platform + "Ledger.RetentionTests.Records_whose_last_event_goes_are_vouched_for_again_and_a_change_of_them_is_still_found"],
        },
        new("164.312(c)(2)", "A mechanism shows that health information was not altered or destroyed without authority.", Coverage.Covered,
            "Log and records are verified by themselves against signed checkpoints; witnesses outside remember these, so that even a log written anew with all keys is noticed.")
        {
            Yours = ["Enter a witness whom you do not rule (Settings › Security › Witnesses)."],
            Events = ["ledger.verified", "ledger.verification_failed", "witness.added", "witness.objected", "ledger.checkpoint_mailed"],
            Tests = [Platform + "Ledger.TamperingTests.An_attack_on_the_log_is_found_and_named", Platform + "Ledger.WitnessingTests.A_log_made_anew_and_signed_with_the_real_key_is_caught_by_the_witness_and_by_a_kept_checkpoint"],
        },
        new("164.312(d)", "Who seeks access is shown to be who they say.", Coverage.Covered,
            "Password and a second factor that works once; owners, administrators, HR and finance cannot do without; what matters most asks again after five minutes.")
        {
            Yours = ["Require two-factor of everybody (Settings › Security)."],
            Events = ["auth.login.success", "auth.code_requested", "auth.step_up", "auth.2fa_enabled", "auth.2fa_disabled"],
            Tests = [Clinic + "SignIn.SignInTests.Code_used_once_is_refused_the_second_time", Clinic + "SignIn.AccountTests.Who_must_enrol_can_do_nothing_else_before_and_everything_after", Clinic + "Team.AccountActionsTests.Requiring_two_factor_of_everybody_holds_from_the_next_request"],
        },
        new("164.312(e)(1), (2)", "Health information is guarded on its way through networks.", Coverage.Partly,
            "Plain HTTP is answered on this machine only; from elsewhere a certificate is needed, with TLS 1.3, or a proxy the operator trusts. Mail goes by checked TLS and names nobody.")
        {
            Missing = "No event says how a connection was encrypted; past a proxy it is the proxy’s.",
            Yours = ["Give the server a certificate, or put a proxy before it that has one."],
            Events = ["mail.sent", "mail.failed"],
            Tests = [Clinic + "Mail.MailSettingsTests.Without_tls_another_machine_is_refused_and_a_kept_password_goes_to_no_other_server", Product + "CrossSiteTests.Every_page_and_API_answer_carries_the_safe_headers"],
        },
        new("164.316(b)(2)(i)", "Documentation of actions and activities is kept for six years.", Coverage.Partly,
            "Exports, matters of staff, settings and the log’s own events are kept seven years; the clinic can lengthen every category (Settings › Security › Retention).")
        {
            Missing = "Until it is lengthened, the rest is kept two years.",
            Yours = ["Lengthen the terms to seven years where the rule binds you."],
            Events = ["ledger.expired", "ledger.held", "settings.modified"],
            Tests = [Clinic + "Retention.LegalHoldTests.A_term_is_lengthened_never_shortened_and_taken_back", Platform + "Ledger.EventCatalogueTests.Payments_exports_and_the_ledgers_own_are_kept_seven_years_or_for_good"],
        },
    ]);
}
