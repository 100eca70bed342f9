using Chaperone.Ledger;

namespace Chaperone.Clinic.Compliance;

internal static partial class Frameworks
{
    private static Framework Pci { get; } = new("pci-dss", "PCI DSS", "Version 4, requirement 10: log and monitor all access to system components and cardholder data",
        "Chaperone takes and keeps no card data today. The mapping is of the log that would record access to it, as it records access to every record now.",
    [
        new("10.1.1, 10.1.2", "Policies, procedures, roles and responsibilities of requirement 10 are documented, known and assigned.", Coverage.Yours, "Nothing: it is for people.")
        {
            Yours = ["Write down who is responsible for the log and its review."],
        },
        new("10.2.1", "Audit logs are enabled and active for all system components.", Coverage.Partly,
            "The log is part of every operation and cannot be switched off: what does not declare its event does not start, and what cannot be logged is not done.")
        {
            Missing = "Operating system, database server, proxy and network have logs of their own, which are not in this one.",
            Yours = ["Keep the logs of the machines around Chaperone."],
            Categories = [EventCategory.Authentication, EventCategory.DataAccess, EventCategory.DataChange, EventCategory.Administration, EventCategory.Security, EventCategory.System],
            Tests =
            [
                Platform + "Operations.ReferenceMonitorTests.Operation_without_a_complete_policy_is_refused_at_start_up", Platform + "Operations.ReferenceMonitorTests.When_the_log_cannot_be_written_nothing_is_shown_or_changed",
                Product + "EndpointInventoryTests.The_list_of_what_runs_nothing_or_leaves_no_event_is_the_documented_one",
            ],
        },
        new("10.2.1.1", "Every individual’s access to cardholder data is logged.", Coverage.Covered,
            "Every record opened, found in a search, listed or exported is an event with the account and everybody whose data was shown; there is no card data to reach.")
        {
            Categories = [EventCategory.DataAccess],
            Tests = [Product + "EventTests.Each_act_of_a_patients_life_leaves_exactly_its_event", Platform + "Operations.ReferenceMonitorTests.Unlogged_operation_that_shows_somebody_is_refused"],
        },
        new("10.2.1.2", "All acts with administrative access are logged, also those by application and system accounts.", Coverage.Partly,
            "Settings, roles, accounts, witnesses, retention and the operator’s commands leave events; so do the server’s own jobs.")
        {
            Missing = "What a superuser of the database or of the machine does past the program is no event; what it alters is found by verification.",
            Yours = ["Log the sessions of who administers the machine."],
            Categories = [EventCategory.Administration],
            Tests = [Clinic + "Settings.ClinicSettingsTests.What_GET_answers_can_be_changed_and_sent_back_and_the_log_tells_what_became_of_it", Clinic + "Team.ChangeRolesTests.Other_roles_hold_from_the_next_request_and_stand_in_the_log", Platform + "Ledger.TamperingTests.An_attack_on_the_log_is_found_and_named"],
        },
        new("10.2.1.3", "All access to audit logs is logged.", Coverage.Covered, "Each look at the log, each event opened, each export, proof and reading from outside leaves an event of its own.")
        {
            Events = ["audit.viewed", "audit.integrity_viewed", "audit.access_history_viewed", "audit.tail_started", "audit.tail_ended", "audit.consistency_proved", "audit.tree_read", "data.export_started", "data.exported"],
            Tests = [Clinic + "AuditLog.ViewAuditLogTests.Own_look_at_the_log_is_in_it_the_next_time_with_hits_and_fields_and_no_values", Clinic + "AuditLog.LogViewTests.Following_leaves_its_start_and_its_end_and_nothing_between", Product + "AuditorTests.Nobody_reads_without_a_token_that_works_here_and_what_was_read_stands_in_the_log_once_an_hour"],
        },
        new("10.2.1.4", "All invalid logical access attempts are logged.", Coverage.Covered,
            "Wrong passwords and codes, locks, and everything that was refused. Floods of strangers are written singly up to twenty a minute, then counted.")
        {
            Events = ["auth.login.failure", "auth.2fa_failed", "auth.locked", "security.unauthorised_attempt", "security.rate_limited", "security.session_forged", "security.session_hijack"],
            Refusals = true,
            Tests = [Product + "EventTests.A_refusal_leaves_an_event_that_says_so", Platform + "Operations.ReferenceMonitorTests.Strangers_failures_are_written_singly_up_to_twenty_a_minute_then_counted", Platform + "Operations.ReferenceMonitorTests.Another_clinics_id_is_not_found_and_leaves_an_event_here_only"],
        },
        new("10.2.1.5", "Changes to identification and authentication credentials are logged: new accounts, raised privileges, changed accounts.", Coverage.Covered,
            "Accounts made, invited, changed, closed and opened again; roles; passwords, authenticators, backup codes, links and devices.")
        {
            Events =
            [
                "staff.created", "staff.invited", "staff.updated", "staff.role_changed", "staff.deactivated", "staff.reactivated", "auth.password_changed", "auth.password_reset_issued", "auth.password_reset_used",
                "auth.2fa_enabled", "auth.2fa_disabled", "auth.backup_codes_generated", "auth.device_trusted", "auth.device_revoked", "auth.unlocked",
            ],
            Tests = [Clinic + "Team.ChangeRolesTests.Other_roles_hold_from_the_next_request_and_stand_in_the_log", Clinic + "Team.InviteTests.Who_is_invited_sets_a_password_by_the_link_and_signs_in", Clinic + "Team.ProfileTests.Details_are_changed_sealed_and_named_in_the_log_without_their_values"],
        },
        new("10.2.1.6", "Starting new audit logs, and starting, stopping or pausing existing ones, is logged.", Coverage.Covered,
            "A clinic’s log begins with the clinic; it has no pause. When the server starts and stops, each log says so; when bodies end by their term, an event that is kept for good names them.")
        {
            Events = ["clinic.created", "system.started", "system.stopped", "ledger.expired"],
            Tests = [Platform + "Ledger.RetentionTests.A_month_that_is_over_ends_for_every_clinic_and_every_log_verifies_and_says_so", Clinic + "Team.AccountActionsTests.Clinic_is_made_with_its_owner_who_sets_the_password_by_the_link"],
        },
        new("10.2.1.7", "Creation and deletion of system-level objects is logged.", Coverage.Partly,
            "Clinics, accounts, tokens, witnesses and addresses of calendars are made and ended with an event.")
        {
            Missing = "Tables and partitions of the database are made by migrations and by retention, which the installation keeps in its own list, not in a clinic’s log.",
            Yours = ["Keep the log of the database server for changes made past the program."],
            Events = ["clinic.created", "audit.token_made", "audit.token_revoked", "witness.added", "witness.removed", "calendar.feed_made", "calendar.feed_revoked"],
            Tests = [Clinic + "Witnesses.WitnessTests.An_owner_enters_a_witness_and_from_then_on_it_is_asked_whenever_the_log_has_grown", Product + "AuditorTests.An_auditor_verifies_the_log_by_its_address_with_our_program_and_with_others"],
        },
        new("10.2.2", "Each entry has user, type, date and time, success or failure, origin, and what was affected.", Coverage.Covered,
            "Account, role and session; action and category; time to the microsecond; outcome; address, client and path; the record and whose data it was; and the rule that decided.")
        {
            Categories = [EventCategory.DataAccess, EventCategory.DataChange],
            Tests = [Ledger + "EventTests.An_event_is_one_line_in_the_order_of_the_format", Clinic + "AuditLog.AuditApiTests.Page_shows_who_what_about_whom_from_where_by_which_path_and_no_patients_name"],
        },
        new("10.3.1", "Reading the logs is limited to those whose job needs it.", Coverage.Covered,
            "Owner, administrator and read-only reviewer read it, owner and administrator export it; nobody else, and nobody of another clinic.")
        {
            Yours = ["Give these roles to few."],
            Events = ["audit.viewed"],
            Tests = [Clinic + "AuditLog.ViewAuditLogTests.Who_may_not_is_refused_and_the_refusal_is_in_the_log", Clinic + "AuditLog.ViewAuditLogTests.Events_of_another_clinic_are_not_there", Product + "AccessMatrixTests.Every_route_refuses_every_role_without_its_permission"],
        },
        new("10.3.2", "The logs are protected from modification by individuals.", Coverage.Covered,
            "Nothing in the product changes or deletes an event; the database refuses it to every role, and what a superuser does past that is found and named.")
        {
            Events = ["ledger.verification_failed"],
            Tests = [Platform + "Ledger.AppendTests.The_owner_and_superusers_are_refused_too", Platform + "Ledger.TamperingTests.An_attack_on_the_log_is_found_and_named"],
        },
        new("10.3.3", "The logs are promptly backed up to a central server or media that are hard to modify.", Coverage.Covered,
            "A stream passes every event on to a log server of yours, byte for byte and by its place in the log, and goes on without a gap after the receiver was down; checkpoints are cosigned by witnesses and mailed weekly, so that what is lost cannot be hidden.")
        {
            Yours = ["Enter a stream to a log server of yours (Settings › Security › Streams), and a witness.", "Back up the data folder elsewhere, daily."],
            Events = ["stream.created", "stream.failing", "stream.recovered", "stream.skipped", "ledger.checkpoint_mailed", "witness.added", "witness.silent"],
            Tests = [Clinic + "Streams.WebhookTests.The_whole_log_comes_in_order_byte_for_byte_and_signed_and_then_what_happens", Clinic + "Streams.WebhookTests.What_happens_while_it_is_down_comes_when_it_is_up_again", Platform + "Ledger.WitnessingTests.What_a_witness_cosigned_stands_under_the_checkpoint_and_the_log_verifies_with_it", Clinic + "Witnesses.WitnessTests.The_owners_get_the_checkpoint_by_mail_once_a_week_and_the_mail_itself_holds_the_log"],
        },
        new("10.3.4", "File integrity monitoring or change detection on the logs raises alerts.", Coverage.Covered,
            "The log is verified by itself, event by event and record by record; a fault is a critical event, a red banner on every page and a mail to the security contacts.")
        {
            Events = ["ledger.verified", "ledger.verification_failed", "witness.objected"],
            Tests = [Platform + "Ledger.TamperingTests.An_attack_on_the_log_is_found_and_named", Clinic + "Witnesses.WitnessTests.A_log_that_does_not_verify_is_told_by_mail_once_a_day_and_stands_in_the_history_of_checks"],
        },
        new("10.4.1, 10.4.2", "Security events and the logs of critical components are reviewed daily, others periodically.", Coverage.Partly,
            "Filters by severity and category, kept filters, numbers and following make a review quick; each leaves an event that it was done.")
        {
            Missing = "Nothing reminds anybody of a review or signs it off.",
            Yours = ["Review daily, and have somebody answer for it."],
            Events = ["audit.viewed", "audit.tail_started", "audit.filter_saved"],
            Tests = [Platform + "Ledger.LedgerReaderTests.Every_filter_finds_exactly_what_a_filter_in_memory_finds_and_pages_join", Clinic + "AuditLog.LogViewTests.Numbers_of_a_view_are_those_of_its_events"],
        },
        new("10.4.1.1", "Automated mechanisms perform the reviews.", Coverage.Partly,
            "Locks, copied sessions, new devices, refused attempts, objecting or silent witnesses and failed verifications are told by mail without anybody looking.")
        {
            Missing = "Nothing looks for unusual patterns in what is allowed.",
            Yours = ["Name security contacts, and set up mail (Settings › Mail)."],
            Events = ["auth.locked", "security.unauthorised_attempt", "security.session_hijack", "witness.silent", "witness.objected", "ledger.verification_failed"],
            Tests = [Clinic + "Mail.SignInMailTests.Refused_attempts_are_told_to_the_security_contacts_once_an_account_and_hour", Clinic + "Mail.SignInMailTests.A_copied_cookie_is_told_to_its_person_and_the_security_contacts_once"],
        },
        new("10.4.2.1, 10.4.3", "The frequency of other reviews follows from a risk analysis, and what reviews find is addressed.", Coverage.Yours, "Nothing: it is for people. What is found can be made an investigation, with notes and a conclusion, and leaves as evidence.")
        {
            Yours = ["Decide the frequency, and follow up what is found."],
        },
        new("10.5.1", "Logs are kept for twelve months, the last three at hand for analysis.", Coverage.Covered,
            "Events are kept two years or seven by what they are, all of them at hand in the viewer. A clinic on the plan Starter sees thirty days of them; the log itself is whole.")
        {
            Yours = ["Lengthen terms where you need more (Settings › Security › Retention)."],
            Events = ["ledger.expired", "ledger.held"],
            Tests = [Platform + "Ledger.EventCatalogueTests.What_is_written_is_kept_for_a_year_at_least", Platform + "Ledger.RetentionTests.A_month_that_is_over_ends_for_every_clinic_and_every_log_verifies_and_says_so"],
        },
        new("10.6.1, 10.6.2, 10.6.3", "Clocks are synchronised with a trusted source, and time settings are protected.", Coverage.Partly,
            "Every event carries UTC to the microsecond; its place in the log does not depend on the clock, so that a clock set back shows, and witnesses note their own time.")
        {
            Missing = "Chaperone takes the time from the machine and does not check it.",
            Yours = ["Synchronise the server’s clock (chrony or systemd-timesyncd), and let few change it."],
            Tests = [Platform + "Ledger.SequencerTests.Every_event_gets_the_next_index_and_the_tree_is_that_of_the_kernel", Ledger + "SignedNoteTests.A_witness_cosigns_with_a_time"],
        },
        new("10.7.1, 10.7.2", "Failures of critical security controls, such as logging, are detected, alerted and addressed promptly.", Coverage.Partly,
            "When an event cannot be written the operation fails, so that nobody works unlogged; when the log does not verify or a witness is silent, mails and a banner say so.")
        {
            Missing = "Firewalls, scanners and segmentation around the server are not watched.",
            Yours = ["Watch /health/ready and the server’s own log."],
            Events = ["ledger.verification_failed", "witness.silent", "witness.objected", "stream.failing", "mail.dead", "system.started"],
            Tests = [Platform + "Operations.ReferenceMonitorTests.When_the_log_cannot_be_written_nothing_is_shown_or_changed", Product + "KillTests.PostgreSQL_that_is_killed_is_started_again_and_until_then_everybody_is_told_to_wait"],
        },
        new("10.7.3", "Such failures are responded to: cause, duration, remedy, and how they will not recur.", Coverage.Yours, "Nothing: it is for people. The log tells when a failure began and when it ended.")
        {
            Yours = ["Write down cause, duration and remedy."],
        },
    ]);
}
