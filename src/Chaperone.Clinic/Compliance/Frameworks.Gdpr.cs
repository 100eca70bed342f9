using Chaperone.Ledger;

namespace Chaperone.Clinic.Compliance;

internal static partial class Frameworks
{
    private static Framework Gdpr { get; } = new("gdpr", "GDPR", "Records of processing (Art. 30), security (Art. 32), breaches (Art. 33)",
        "The same articles stand in the UK GDPR. The record of processing activities is a document of the clinic; the log shows what was really done with the data.",
    [
        new("Art. 30(1)(a)", "The record names the controller and the data protection officer.", Coverage.Partly,
            "The clinic’s name, address, privacy lead and security contacts stand in Settings › Clinic, everybody of the team sees them, and each change is an event that names the field.")
        {
            Missing = "Representatives and joint controllers have no field of their own.",
            Yours = ["Keep the privacy lead and the contacts up to date.", "Put the same names into your record of processing."],
            Events = ["settings.modified"],
            Tests = [Clinic + "Settings.ClinicSettingsTests.Owners_are_the_contacts_until_somebody_is_named_and_again_when_nobody_named_is_left", Clinic + "Settings.ClinicSettingsTests.What_GET_answers_can_be_changed_and_sent_back_and_the_log_tells_what_became_of_it"],
        },
        new("Art. 30(1)(b), (c)", "The record says for what purposes whose data of which categories is processed.", Coverage.Partly,
            "Every event says what was done, to what sort of record, whose data the answer showed and under which decision, so that the record can be held against what really happens.")
        {
            Missing = "Chaperone does not write the record of processing itself, and purposes are not entered in it.",
            Yours = ["Write the record of processing activities, with purposes and legal bases."],
            Categories = [EventCategory.DataAccess, EventCategory.DataChange],
            Tests = [Product + "EventTests.Each_act_of_a_patients_life_leaves_exactly_its_event", Platform + "Operations.ReferenceMonitorTests.Change_and_event_are_one_commit_and_the_event_names_subject_record_and_rule"],
        },
        new("Art. 30(1)(d), (e)", "The record says to whom personal data is disclosed, also in other countries.", Coverage.Partly,
            "What leaves by Chaperone leaves an event before the first byte and one after the last, with what, how much and by whom: exports, calendars read from outside, mails, tokens for the log, streams of it.")
        {
            Missing = "The log does not know who receives a file after it was downloaded.",
            Yours = ["Note recipients and countries in the record of processing.", "Keep contracts with your processors."],
            Events = ["data.export_started", "data.exported", "calendar.feed_made", "calendar.read", "mail.sent", "audit.token_made", "audit.tree_read", "stream.created"],
            Tests = [Clinic + "AuditLog.ExportAuditLogTests.Table_is_announced_before_and_counted_and_hashed_after", Clinic + "AuditLog.ExportAuditLogTests.What_broke_off_is_a_failure_that_says_how_far_it_came"],
        },
        new("Art. 30(1)(f)", "The record says how long each category of data is kept.", Coverage.Partly,
            "How long the log keeps each category of events stands in Settings › Security › Retention and is enforced monthly; longer terms and legal holds are the clinic’s, each with a reason.")
        {
            Missing = "Terms exist for the log; patients’ records are archived and do not end by themselves yet.",
            Yours = ["Decide how long records are kept, and write it into the record of processing."],
            Events = ["ledger.expired", "ledger.held", "settings.modified", "patient.archived"],
            Tests = [Platform + "Ledger.RetentionTests.A_month_that_is_over_ends_for_every_clinic_and_every_log_verifies_and_says_so", Clinic + "Retention.LegalHoldTests.A_term_is_lengthened_never_shortened_and_taken_back"],
        },
        new("Art. 30(1)(g)", "The record describes the security measures in general.", Coverage.Covered,
            "This mapping can be handed over as it is, with the tests that show each measure and when they last passed; docs/threat-model.md says what is protected from whom, and what is not.")
        {
            Yours = ["Add what you do outside Chaperone: premises, devices, training."],
            Events = ["compliance.viewed", "compliance.exported"],
            Tests = [Clinic + "Compliance.ComplianceTests.Every_test_that_is_named_exists", Clinic + "Docs.ErrorsTests.The_threat_model_names_only_tests_that_exist"],
        },
        new("Art. 30(4)", "The record is made available to the supervisory authority on request.", Coverage.Covered,
            "The log is exported filtered as table, JSON or PDF, or as a bundle that proves itself offline; who looked at one person’s data is a report of its own.")
        {
            Yours = ["Hand it over safely: past the download it is an ordinary file."],
            Events = ["data.export_started", "data.exported", "audit.access_history_viewed"],
            Tests = [Clinic + "AuditLog.ExportAuditLogTests.Report_has_a_cover_with_filter_counts_checkpoint_and_integrity_and_every_event", Clinic + "AuditLog.AccessHistoryTests.Report_to_hand_over_is_whole_logged_and_says_nothing_of_others"],
        },
        new("Art. 32(1)(a)", "Personal data is pseudonymised and encrypted where appropriate.", Coverage.Covered,
            "Every field of personal data is sealed with AES-256-GCM, bound to its clinic, table, row and version; the log names ids and never names or content.")
        {
            Yours = ["Keep the root key on another device than the data (docs/operations.md)."],
            Events = ["security.seal_broken"],
            Tests = [Product + "CanaryTests.No_personal_data_lies_on_disk_or_in_logs_in_clear", Sealing + "SealedPayloadTests.Every_flipped_bit_breaks_it", Sealing + "SealedPayloadTests.Payload_moved_to_any_other_place_does_not_open"],
        },
        new("Art. 32(1)(b)", "Confidentiality, integrity, availability and resilience of the systems are ensured for good.", Coverage.Partly,
            "Every act is decided by role and relation before it runs; log and records are verified by themselves; what was acknowledged survives a crash at any moment.")
        {
            Missing = "Backups are not part of Chaperone yet: availability after the loss of a disk is not covered.",
            Yours = ["Back up the data folder and try the way back (Art. 32(1)(c))."],
            Events = ["ledger.verified", "ledger.verification_failed", "system.started", "system.stopped"],
            Tests = [Product + "KillTests.Nothing_acknowledged_is_lost_and_the_log_verifies_after_kill_9_in_a_loop", Product + "AccessMatrixTests.Every_route_refuses_every_role_without_its_permission", Platform + "Ledger.TamperingTests.An_attack_on_the_log_is_found_and_named"],
        },
        new("Art. 32(1)(d)", "The measures are tested, assessed and evaluated regularly.", Coverage.Covered,
            "The log is verified by itself, with each result in the log; the measures have tests, and this page says when each last passed on this installation’s copy.")
        {
            Yours = ["Run ./chaperone test after each update, so that the dates here are of what runs."],
            Events = ["ledger.verified", "ledger.verification_failed"],
            Tests = [Platform + "Ledger.LedgerReaderTests.The_integrity_check_keeps_its_result_and_writes_it_into_the_log", Clinic + "Compliance.TestPassesTests.A_pass_stays_with_its_date_until_the_test_passes_again"],
        },
        new("Art. 32(4)", "Who acts for the clinic sees personal data only on its instructions.", Coverage.Covered,
            "Nobody reaches what their roles and their relation to the patient do not allow; the refusal itself is an event, and what was looked at can be told for each person.")
        {
            Yours = ["Tell the team what they may look at, and look at who looked."],
            Events = ["patient.viewed", "patient.searched", "staff.role_changed"],
            Refusals = true,
            Tests = [Product + "AccessMatrixTests.Every_route_refuses_every_role_without_its_permission", Platform + "Access.DecideTests.Decide_agrees_with_the_table_in_every_case", Clinic + "AuditLog.AccessHistoryTests.Owner_reads_who_looked_at_a_patient_when_in_which_role_and_why"],
        },
        new("Art. 33(1), (2)", "A breach is noticed and notified within 72 hours.", Coverage.Partly,
            "Locked accounts, copied sessions, refused attempts, tampering and objections of witnesses are told by mail at once to the security contacts.")
        {
            Missing = "Unusual reading by somebody who may read, such as many records in a night, raises no alarm yet.",
            Yours = ["Notify the authority: Chaperone does not write to it.", "Name security contacts who read their mail."],
            Events = ["auth.locked", "security.session_hijack", "security.unauthorised_attempt", "ledger.verification_failed", "witness.objected"],
            Refusals = true,
            Tests = [Clinic + "Mail.SignInMailTests.Refused_attempts_are_told_to_the_security_contacts_once_an_account_and_hour", Clinic + "Witnesses.WitnessTests.A_log_that_does_not_verify_is_told_by_mail_once_a_day_and_stands_in_the_history_of_checks"],
        },
        new("Art. 33(3), (5)", "Breaches are documented: whose data, how much, what followed.", Coverage.Covered,
            "An investigation of a suspected breach holds events, people, records, notes and a conclusion that two agreed to, runs the 72 hours, and leaves as evidence that outsiders can check; every event names everybody whose data the answer showed.")
        {
            Yours = ["Open one for each breach, and decide whom to tell (Art. 34)."],
            Events = ["investigation.opened", "investigation.breach_marked", "investigation.concluded", "investigation.exported"],
            Tests = [Clinic + "Investigations.InvestigationTests.A_suspected_breach_has_72_hours_and_cannot_have_begun_in_the_future", Clinic + "Investigations.CaseEvidenceTests.Whatever_is_changed_in_it_is_found_and_the_first_bad_event_is_named", Clinic + "AuditLog.ViewAuditLogTests.Every_filter_shows_exactly_the_events_it_names_newest_first", Clinic + "AuditLog.ProvingTests.Evidence_of_an_event_verifies_here_and_elsewhere_and_leaves_its_event"],
        },
    ]);
}
