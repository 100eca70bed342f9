using System.Globalization;
using System.Security.Cryptography;
using Chaperone.Platform.Sealing;

namespace Chaperone.Clinic.SignIn;

/// <summary>
/// What a row says that would give rights if it were changed. Its proof is an HMAC under the clinic's proof key, made by the server with the row and checked whenever the row
/// is believed: who can only write to the database can neither make such a row nor bend one. Not in it, because a change takes rights away or gives back no more than
/// the row once gave its own holder: ends by use, sign-out or revocation, and when it was last seen.
/// </summary>
internal abstract record Claims
{
    /// <summary>One text for one set of claims: kind first, free text last, everything between without separators in it.</summary>
    public abstract string Text { get; }

    protected static string Join(params object?[] parts) => string.Join('|', parts.Select(part => part switch
    {
        Guid id => id.ToString("N"),
        byte[] bytes => Convert.ToHexStringLower(bytes),
        DateTimeOffset at => (at.UtcTicks / TimeSpan.TicksPerMicrosecond).ToString(CultureInfo.InvariantCulture),   // what the database keeps of it
        null => "-",
        _ => part.ToString(),
    }));
}

/// <summary>Of a session. Client and network are in it because a copied cookie is told by them; the second factor because step-up believes it.</summary>
internal sealed record SessionClaims(Guid Id, Guid SubjectId, Guid MemberId, byte[] TokenHash, byte[] Network, DateTimeOffset AbsoluteEndsAt, DateTimeOffset? SecondFactorAt, string Client) : Claims
{
    public override string Text => Join("session", Id, SubjectId, MemberId, TokenHash, Network, AbsoluteEndsAt, SecondFactorAt, Client);
}

/// <summary>Of a trusted device, which takes the second factor's place.</summary>
internal sealed record DeviceClaims(Guid Id, Guid MemberId, byte[] TokenHash, Guid SecurityStamp, DateTimeOffset ExpiresAt) : Claims
{
    public override string Text => Join("device", Id, MemberId, TokenHash, SecurityStamp, ExpiresAt);
}

/// <summary>Of a link that sets a password.</summary>
internal sealed record LinkClaims(Guid Id, Guid MemberId, byte[] TokenHash, string Purpose, DateTimeOffset ExpiresAt) : Claims
{
    public override string Text => Join("link", Id, MemberId, TokenHash, ExpiresAt, Purpose);
}

/// <summary>Makes and checks proofs. The key is remembered: a check is one HMAC.</summary>
internal sealed class Proofs(KeyRing keys)
{
    public async ValueTask<byte[]> OfAsync(Guid tenant, Claims claims, CancellationToken cancel) => (await keys.ProofKeyAsync(tenant, cancel)).Exact(claims.Text);

    public async ValueTask<bool> HoldAsync(Guid tenant, Claims claims, byte[] proof, CancellationToken cancel) =>
        CryptographicOperations.FixedTimeEquals(await OfAsync(tenant, claims, cancel), proof);
}
