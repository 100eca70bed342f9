using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;

namespace Chaperone.Clinic.SignIn;

/// <summary>What an account knows of its person.</summary>
/// <param name="Name">Display name.</param>
/// <param name="Email">Sign-in address, as typed.</param>
/// <param name="Title">Job title, or null.</param>
internal sealed record MemberDetails(string Name, string Email, string? Title = null) : ISealedPayload<MemberDetails>
{
    /// <summary>The address of practitioners who were imported: nobody can sign in with none.</summary>
    public const string NoAddress = "";

    public static JsonTypeInfo<MemberDetails> Json => SignInJson.Default.MemberDetails;

    /// <summary>Entry in a professional register, or null.</summary>
    public Registration? Registration { get; init; }

    /// <summary>A code of <see cref="StaffColour.All"/>, or null while none is chosen.</summary>
    public string? Colour { get; init; }
}

/// <summary>An account. <see cref="SealedRow.SubjectId"/> is the account itself, or the patient for a patient's account.</summary>
internal sealed class MemberRow : SealedRow<MemberDetails>
{
    public const string Active = "active";
    public const string Suspended = "suspended";

    public required string Status { get; set; }

    /// <summary>Codes of built-in roles; the first is shown in events.</summary>
    public required string[] Roles { get; set; }

    public Guid? PatientId { get; init; }

    /// <summary>Raised with every change of rights.</summary>
    public long RightsVersion { get; set; } = 1;

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The account as a sort of resource: every account of the clinic is within reach of who may manage accounts, one's own is own.</summary>
    public static Resource Resource { get; } = Resource.Define("member", "SELECT CASE WHEN id = $2 OR patient_id = $3 THEN 4 ELSE 1 END FROM clinic.member WHERE id = $1");
}

/// <summary>What proves that it is them.</summary>
internal sealed record CredentialDetails : ISealedPayload<CredentialDetails>
{
    public static JsonTypeInfo<CredentialDetails> Json => SignInJson.Default.CredentialDetails;

    /// <summary>PBKDF2, in the format of ASP.NET Core Identity version 3; null before the first password.</summary>
    public string? PasswordHash { get; init; }

    /// <summary>The authenticator's secret, in effect.</summary>
    public byte[]? AuthenticatorSecret { get; init; }

    /// <summary>A secret that was shown but not yet confirmed.</summary>
    public byte[]? PendingSecret { get; init; }

    /// <summary>HMACs of the backup codes that were not used yet.</summary>
    public IReadOnlyList<byte[]> BackupCodes { get; init; } = [];
}

/// <summary>One per account, with the account's id.</summary>
internal sealed class CredentialRow : SealedRow<CredentialDetails>
{
    /// <summary>Changes with password and second factor; trusted devices and pending sign-ins are bound to it.</summary>
    public Guid SecurityStamp { get; set; }

    public bool TwoFactorEnabled { get; set; }

    public DateTimeOffset? PasswordChangedAt { get; set; }
}

/// <summary>Where a session or a device was used from.</summary>
internal sealed record Origin(string? Ip, string? UserAgent) : ISealedPayload<Origin>
{
    public static JsonTypeInfo<Origin> Json => SignInJson.Default.Origin;
}

/// <summary>A session. Its row is read with every request, by one query of <see cref="SessionReader"/>.</summary>
internal sealed class SessionRow : SealedRow<Origin>
{
    public static readonly TimeSpan Idle = TimeSpan.FromMinutes(30);
    public static readonly TimeSpan Absolute = TimeSpan.FromHours(12);

    public Guid MemberId { get; init; }

    public Guid? DeviceId { get; set; }

    public required byte[] TokenHash { get; init; }

    /// <summary>Browser engine and operating system.</summary>
    public required string Client { get; init; }

    /// <summary>Blind index of the network last confirmed.</summary>
    public required byte[] Network { get; set; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset LastSeenAt { get; set; }

    public DateTimeOffset IdleEndsAt { get; set; }

    public DateTimeOffset AbsoluteEndsAt { get; init; }

    public DateTimeOffset? SecondFactorAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>Of its <see cref="SessionClaims"/>.</summary>
    public byte[] Proof { get; set; } = [];
}

/// <summary>A secret that opens something to whoever brings it, until it runs out or is revoked; only its hash is kept.</summary>
internal abstract class TokenRow<TPayload> : SealedRow<TPayload> where TPayload : class, ISealedPayload<TPayload>
{
    /// <summary>SHA-256 of the token.</summary>
    public required byte[] TokenHash { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>That the server wrote the row: of its <see cref="Claims"/>.</summary>
    public byte[] Proof { get; set; } = [];
}

/// <summary>A device remembered for 30 days, bound to account and security stamp; its claims are <see cref="DeviceClaims"/>.</summary>
internal sealed class TrustedDeviceRow : TokenRow<Origin>
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    public Guid MemberId { get; init; }

    public Guid SecurityStamp { get; init; }

    public required string Client { get; init; }

    public DateTimeOffset LastUsedAt { get; set; }
}

/// <summary>Attempts of an account, a trusted device, or a stand-in for unknown addresses.</summary>
internal sealed class SignInCounterRow
{
    public Guid TenantId { get; init; }

    public Guid Id { get; init; }

    public int Failed { get; set; }

    public DateTimeOffset? LockedUntil { get; set; }

    public long? LastTotpStep { get; set; }
}

/// <summary>A link that sets a password, once.</summary>
internal sealed class OneTimeLinkRow
{
    public const string Invite = "invite";
    public const string Reset = "reset";

    public Guid TenantId { get; init; }

    public Guid Id { get; init; }

    public required byte[] TokenHash { get; init; }

    public required string Purpose { get; init; }

    public Guid MemberId { get; init; }

    public Guid? CreatedBy { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? UsedAt { get; set; }

    /// <summary>Of its <see cref="LinkClaims"/>.</summary>
    public byte[] Proof { get; set; } = [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MemberDetails))]
[JsonSerializable(typeof(CredentialDetails))]
[JsonSerializable(typeof(Origin))]
internal sealed partial class SignInJson : JsonSerializerContext;
