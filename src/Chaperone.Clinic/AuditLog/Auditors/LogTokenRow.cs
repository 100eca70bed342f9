using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.AuditLog.Auditors;

/// <summary>Whom a token is for.</summary>
internal sealed record LogTokenLabel(string Name) : ISealedPayload<LogTokenLabel>
{
    public static JsonTypeInfo<LogTokenLabel> Json => AuditorsJson.Default.LogTokenLabel;
}

/// <summary>A token by which somebody outside reads the log's tree; its claims are <see cref="LogTokenClaims"/>.</summary>
internal sealed class LogTokenRow : TokenRow<LogTokenLabel>;

/// <summary>Whether everybody may read the log's tree. There is none until the clinic has decided.</summary>
internal sealed class LogPublicationRow
{
    public Guid TenantId { get; init; }

    public Guid Id { get; init; }

    public DateTimeOffset ChangedAt { get; set; }

    public bool Everybody { get; set; }

    /// <summary>Of its <see cref="LogPublicationClaims"/>.</summary>
    public byte[] Proof { get; set; } = [];

    public static void Model(ModelBuilder model)
    {
        model.Entity<LogTokenRow>(row => row.ToTable("log_token"));
        model.Entity<LogPublicationRow>(row => row.ToTable("log_publication").HasKey(publication => new { publication.TenantId, publication.Id }));
    }
}

/// <summary>Of a token: until when it opens the log.</summary>
internal sealed record LogTokenClaims(Guid Id, byte[] TokenHash, DateTimeOffset ExpiresAt) : Claims
{
    public override string Text => Join("log-token", Id, TokenHash, ExpiresAt);
}

/// <summary>Of the switch that opens the log to everybody.</summary>
internal sealed record LogPublicationClaims(Guid Id, DateTimeOffset ChangedAt, bool Everybody) : Claims
{
    public override string Text => Join("log-publication", Id, ChangedAt, Everybody ? "everybody" : "nobody");
}

/// <summary>Decides who outside may read the log's tree.</summary>
internal sealed class LogReaders(Proofs proofs)
{
    /// <summary>The token's row, or that everybody may; null for nobody: no such token, ended, revoked, or a row that the server did not write.</summary>
    public async Task<LogReader?> FindAsync(OperationScope scope, byte[]? tokenHash, CancellationToken cancel)
    {
        var tenant = scope.Tenant.Id;
        if (tokenHash is not null
            && await scope.Db.Set<LogTokenRow>().AsNoTracking().Where(row => row.TokenHash == tokenHash && row.RevokedAt == null && row.ExpiresAt > scope.Now)
                .Select(row => new { row.Id, row.TokenHash, row.ExpiresAt, row.Proof }).FirstOrDefaultAsync(cancel) is { } token
            && await proofs.HoldAsync(tenant, new LogTokenClaims(token.Id, token.TokenHash, token.ExpiresAt), token.Proof, cancel)) return new(token.Id);
        return await IsPublicAsync(scope, cancel) ? new LogReader(null) : null;
    }

    public async Task<bool> IsPublicAsync(OperationScope scope, CancellationToken cancel) =>
        await scope.Db.Set<LogPublicationRow>().AsNoTracking().FirstOrDefaultAsync(cancel) is { Everybody: true } row
        && await proofs.HoldAsync(scope.Tenant.Id, new LogPublicationClaims(row.Id, row.ChangedAt, Everybody: true), row.Proof, cancel);

    public ValueTask<byte[]> ProofAsync(OperationScope scope, Claims claims, CancellationToken cancel) => proofs.OfAsync(scope.Tenant.Id, claims, cancel);
}

/// <summary>Who reads.</summary>
/// <param name="Token">The token; null for everybody.</param>
internal sealed record LogReader(Guid? Token);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LogTokenLabel))]
internal sealed partial class AuditorsJson : JsonSerializerContext;
