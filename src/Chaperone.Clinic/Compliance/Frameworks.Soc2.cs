namespace Chaperone.Clinic.Compliance;

internal static partial class Frameworks
{
    private static Framework Soc2 { get; } = new("soc2", "SOC 2", "CC7.2: the entity monitors its systems for anomalies and analyses them",
        "By the points of focus of the criterion. An auditor asks how you use what is here, over the whole period.",
    [
        new("CC7.2, policies and tools", "Detection policies, procedures and tools are defined and put in place.", Coverage.Partly,
            "What is an event, how much it matters and how long it is kept is one catalogue, generated from the program; security events have a severity and an automatic action, and the whole log can be streamed to a monitoring system of yours.")
        {
            Missing = "The policy itself is yours.",
            Yours = ["Write the policy: who looks, at what, how often, and whom they tell."],
            Events = ["security.unauthorised_attempt", "security.rate_limited", "security.session_hijack", "security.session_forged", "security.seal_broken", "auth.locked", "stream.created", "stream.failing"],
            Refusals = true,
            Tests = [Platform + "Ledger.EventCatalogueTests.The_page_in_the_docs_is_this_catalogue", Clinic + "Streams.WebhookTests.The_whole_log_comes_in_order_byte_for_byte_and_signed_and_then_what_happens", Clinic + "SignIn.AccountTests.Cookie_from_another_client_family_ends_the_session_with_a_critical_event"],
        },
        new("CC7.2, detection measures", "Detection is designed to find what is unusual: attacks, abuse, failing parts.", Coverage.Partly,
            "Found by themselves: guessing, copied and forged sessions, what the pages do not offer, altered logs and records, witnesses that object or are silent, mail that is not delivered.")
        {
            Missing = "Reading that is allowed and yet unusual (many records, at night, a colleague) is recorded but raises no alarm yet.",
            Yours = ["Look at the numbers of the log for what is unusual in your clinic."],
            Events = ["auth.login.failure", "security.unauthorised_attempt", "security.session_hijack", "security.session_forged", "ledger.verification_failed", "witness.silent", "witness.objected", "mail.dead"],
            Refusals = true,
            Tests =
            [
                Product + "GuessingTests.Of_200_parallel_guesses_at_most_five_are_evaluated_and_the_account_is_locked", Product + "ForgedRowTests.A_session_planted_or_changed_in_the_database_is_nobodys",
                Clinic + "Mail.SignInMailTests.Refused_attempts_are_told_to_the_security_contacts_once_an_account_and_hour", Clinic + "Witnesses.WitnessTests.One_that_is_silent_for_a_day_is_told_of_once_and_so_is_its_return",
            ],
        },
        new("CC7.2, filters", "Filters summarise and narrow down what was recorded, so that anomalies are seen.", Coverage.Covered,
            "By user, action, category, severity, outcome, time, address, record and person, in any combination, as a link; kept filters; numbers by day, hour, action and user.")
        {
            Yours = ["Keep the filters that your reviews need."],
            Events = ["audit.viewed", "audit.filter_saved", "audit.tail_started"],
            Tests = [Platform + "Ledger.LedgerReaderTests.Every_filter_finds_exactly_what_a_filter_in_memory_finds_and_pages_join", Clinic + "AuditLog.LogViewTests.Saved_filters_are_ones_own_sealed_and_change_only_by_their_owner"],
        },
        new("CC7.2, tools that work", "The detection tools themselves are monitored.", Coverage.Covered,
            "An operation whose event cannot be written fails; the log is verified by itself, its result is in the log, on the page and, when bad, in a mail and a red banner.")
        {
            Yours = ["Read Audit log › Integrity now and then, and keep a checkpoint."],
            Events = ["ledger.verified", "ledger.verification_failed", "system.started", "system.stopped", "witness.returned"],
            Tests =
            [
                Platform + "Operations.ReferenceMonitorTests.When_the_log_cannot_be_written_nothing_is_shown_or_changed", Clinic + "AuditLog.AuditApiTests.Integrity_is_pending_then_verified_then_failed_when_a_body_was_altered",
                Clinic + "Witnesses.WitnessTests.A_log_that_does_not_verify_is_told_by_mail_once_a_day_and_stands_in_the_history_of_checks",
            ],
        },
    ]);
}
