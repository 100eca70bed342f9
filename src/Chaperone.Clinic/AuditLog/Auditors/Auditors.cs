using Chaperone.Clinic.AuditLog.Proving;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.AuditLog.Auditors;

/// <summary>Shows who outside may read the log's tree, the newest token first.</summary>
internal sealed record ViewAuditors : IOperation<AuditorsView>
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").Needs(Permission.AuditExport).About(Resource.Clinic);
}

/// <summary>Who outside may read.</summary>
/// <param name="Everybody">Whether everybody may, without a token.</param>
/// <param name="Tokens">All there were, the newest first.</param>
public sealed record AuditorsView(bool Everybody, IReadOnlyList<LogTokenView> Tokens);

/// <summary>A token as shown; itself it was shown once.</summary>
/// <param name="Id">Its id, which the events name.</param>
/// <param name="Name">Whom it is for.</param>
/// <param name="CreatedAt">Since when.</param>
/// <param name="ExpiresAt">Until when.</param>
/// <param name="RevokedAt">When somebody ended it before, or null.</param>
public sealed record LogTokenView(Guid Id, string Name, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? RevokedAt)
{
    /// <summary>Not the name: records are printed by whoever logs them.</summary>
    public override string ToString() => nameof(LogTokenView);
}

/// <summary>Makes a token; it is shown this once.</summary>
/// <param name="Name">Whom it is for.</param>
/// <param name="Days">How long it works, 1 to 366.</param>
internal sealed record MakeLogToken(string? Name, int? Days) : IOperation<SecretToken>
{
    public const int LongestName = 80, MostDays = 366;

    public static Policy Policy { get; } = Policy.Changes("audit.token_made").Needs(Permission.AuditExport).About(Resource.Clinic).WithStepUp();

    public override string ToString() => nameof(MakeLogToken);
}

/// <summary>Ends a token.</summary>
/// <param name="Token">Which.</param>
internal sealed record RevokeLogToken(Guid Token) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("audit.token_revoked").Needs(Permission.AuditExport).About(Resource.Clinic);
}

/// <summary>Opens the log's tree to everybody, or to those with a token only.</summary>
/// <param name="Everybody">Which; null for what is neither.</param>
internal sealed record PublishLog(bool? Everybody) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.AuditExport).About(Resource.Clinic).WithStepUp();
}

internal sealed class AuditorsHandler(LogReaders readers) : IHandler<ViewAuditors, AuditorsView>, IHandler<MakeLogToken, SecretToken>, IHandler<RevokeLogToken, Done>, IHandler<PublishLog, Done>
{
    private const int MostShown = 200;

    public async Task<Result<AuditorsView>> Handle(ViewAuditors request, OperationScope scope, CancellationToken cancel)
    {
        var rows = await scope.Open(scope.Db.Set<LogTokenRow>().AsNoTracking().OrderByDescending(row => row.Id).Take(MostShown), cancel);
        return new AuditorsView(
            await readers.IsPublicAsync(scope, cancel),
            [.. rows.OrderByDescending(row => row.Id).Select(row => new LogTokenView(row.Id, row.Payload.Name, row.CreatedAt, row.ExpiresAt, row.RevokedAt))]);
    }

    public async Task<Result<SecretToken>> Handle(MakeLogToken request, OperationScope scope, CancellationToken cancel)
    {
        var (name, error) = (PersonDetails.Tidy(request.Name), ProofErrors.BadToken);
        if (name is null or { Length: > MakeLogToken.LongestName }) error = error.With("name", $"Say whom it is for, in at most {MakeLogToken.LongestName} characters.");
        if (request.Days is not (>= 1 and <= MakeLogToken.MostDays)) error = error.With("days", $"Choose 1 to {MakeLogToken.MostDays} days.");
        if (error.Fields.Count > 0) return error;
        var token = SecretToken.New();
        var row = new LogTokenRow { Id = scope.NewId(), TokenHash = token.Hash, CreatedAt = scope.Now, ExpiresAt = scope.Now.AddDays(request.Days!.Value), Payload = new(name!) };
        row.Proof = await readers.ProofAsync(scope, new LogTokenClaims(row.Id, row.TokenHash, row.ExpiresAt), cancel);
        scope.Add(row);
        scope.Concerns("log_token", row.Id);
        scope.Note("days", request.Days.Value);
        return token;
    }

    public async Task<Result<Done>> Handle(RevokeLogToken request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("log_token", request.Token);
        if (await scope.OpenOne(scope.Db.Set<LogTokenRow>().Where(row => row.Id == request.Token && row.RevokedAt == null), cancel) is not { } row) return PlatformErrors.NotFound;
        row.RevokedAt = scope.Now;
        return default(Done);
    }

    public async Task<Result<Done>> Handle(PublishLog request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Everybody is not { } everybody) return PlatformErrors.Malformed;
        var before = await readers.IsPublicAsync(scope, cancel);
        var row = await scope.Db.Set<LogPublicationRow>().FirstOrDefaultAsync(cancel);
        if (row is null) scope.Db.Add(row = new LogPublicationRow { TenantId = scope.Tenant.Id, Id = scope.Tenant.Id });
        (row.Everybody, row.ChangedAt) = (everybody, scope.Now);
        row.Proof = await readers.ProofAsync(scope, new LogPublicationClaims(row.Id, row.ChangedAt, everybody), cancel);
        scope.NoteChange("log_readers", Name(before), Name(everybody));
        return default(Done);
    }

    private static string Name(bool everybody) => everybody ? "everybody" : "token";
}
