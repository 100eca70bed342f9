using System.Globalization;
using Chaperone.Clinic.Mail;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Witnesses;

/// <summary>What there is to tell of a witness.</summary>
internal enum WitnessTale
{
    /// <summary>It has not cosigned for long.</summary>
    Silent,

    /// <summary>It says that the log was rewritten.</summary>
    Objects,

    /// <summary>It cosigns again.</summary>
    Returned,
}

/// <summary>Writes into the log what became of a witness, and has the clinic's security contacts told by mail.</summary>
internal sealed record TellOfWitness(LogWitness Witness, WitnessTale Tale, WitnessStanding Standing) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("witness.silent").Or("witness.objected", "witness.returned").ForSystem("the log is guarded by the system");
}

internal sealed class TellOfWitnessHandler(MailQueue mail) : IHandler<TellOfWitness, Done>
{
    public async Task<Result<Done>> Handle(TellOfWitness request, OperationScope scope, CancellationToken cancel)
    {
        var (witness, standing) = (request.Witness, request.Standing);
        if (witness.Id is { } id) scope.Concerns(WitnessResource.Witness.Type, id);
        scope.Note("size", standing.Size);
        scope.Note("witness", witness.Mark);
        if (standing.Fault is { } fault) scope.Because(WitnessErrors.Of(fault).Code);
        switch (request.Tale)
        {
            case WitnessTale.Returned:
                scope.RecordAs("witness.returned");
                return default(Done);
            case WitnessTale.Objects:
                scope.RecordAs("witness.objected", EventOutcome.Failure);
                break;
            default:
                scope.RecordAs("witness.silent", EventOutcome.Failure);
                break;
        }
        scope.OnConflict("mail_message_group", PlatformErrors.Conflict);   // another node was faster
        var since = (standing.FailingSince ?? scope.Now).UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
        await mail.AlertOnceAsync(
            scope, request.Tale == WitnessTale.Objects ? LogMails.WitnessObjects : LogMails.WitnessSilent, null, new("/settings/audit-log/integrity", standing.FailingSince),
            $"witness/{witness.Mark}/{since}/{request.Tale}", cancel);
        return default(Done);
    }
}
