using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Feeds;

/// <summary>A secret address of a practitioner's calendar. One of each practitioner works at a time.</summary>
internal sealed class CalendarFeedRow
{
    public Guid TenantId { get; init; }

    public Guid Id { get; init; }

    public Guid MemberId { get; init; }

    /// <summary>SHA-256 of the token in the address.</summary>
    public required byte[] TokenHash { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>Of its <see cref="FeedClaims"/>.</summary>
    public byte[] Proof { get; set; } = [];

    public static void Model(ModelBuilder model) => model.Entity<CalendarFeedRow>(row => row.ToTable("calendar_feed").HasKey(feed => new { feed.TenantId, feed.Id }));
}

/// <summary>Of a calendar's address: whose calendar it opens.</summary>
internal sealed record FeedClaims(Guid Id, Guid MemberId, byte[] TokenHash) : Claims
{
    public override string Text => Join("feed", Id, MemberId, TokenHash);
}

/// <summary>Makes, finds and ends addresses of calendars.</summary>
internal sealed class CalendarFeeds(Proofs proofs)
{
    /// <summary>The path an address begins with.</summary>
    public const string Path = "/calendar/";

    /// <summary>A new address; an earlier one of the practitioner ends.</summary>
    public async Task<SecretToken> MakeAsync(OperationScope scope, Guid member, CancellationToken cancel)
    {
        await RevokeAsync(scope, member, cancel);
        var token = SecretToken.New();
        var row = new CalendarFeedRow { TenantId = scope.Tenant.Id, Id = scope.NewId(), MemberId = member, TokenHash = token.Hash, CreatedAt = scope.Now };
        row.Proof = await proofs.OfAsync(scope.Tenant.Id, new FeedClaims(row.Id, member, token.Hash), cancel);
        scope.Db.Add(row);
        return token;
    }

    /// <summary>Ends the practitioner's address; how many ended.</summary>
    public static Task<int> RevokeAsync(OperationScope scope, Guid member, CancellationToken cancel) =>
        scope.Db.Set<CalendarFeedRow>().Where(row => row.MemberId == member && row.RevokedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.RevokedAt, scope.Now), cancel);

    /// <summary>Whose calendar this token opens; null for none, for one that was revoked, and for one that the server did not make.</summary>
    public async Task<Guid?> FindAsync(OperationScope scope, byte[]? tokenHash, CancellationToken cancel) =>
        tokenHash is not null && await scope.Db.Set<CalendarFeedRow>().AsNoTracking().FirstOrDefaultAsync(row => row.TokenHash == tokenHash && row.RevokedAt == null, cancel) is { } row
        && await proofs.HoldAsync(scope.Tenant.Id, new FeedClaims(row.Id, row.MemberId, row.TokenHash), row.Proof, cancel) ? row.MemberId : null;
}
