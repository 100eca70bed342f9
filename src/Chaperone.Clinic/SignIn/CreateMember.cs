using Chaperone.Encryption;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;

namespace Chaperone.Clinic.SignIn;

/// <summary>The blind index of sign-in addresses: unique within the clinic.</summary>
internal static class MemberAddress
{
    /// <summary>Odd: only one row may have it.</summary>
    public const short IndexId = 101;

    public const int LongestLength = 254;

    public static async Task<byte[]> TokenAsync(OperationScope scope, string email, CancellationToken cancel)
    {
        var normalised = Normaliser.Email(email.Length > LongestLength ? email[..LongestLength] : email);
        return (await scope.BlindIndex("member.email", cancel)).Exact(normalised.Length == 0 ? "-" : normalised);
    }

    /// <summary>Whether it looks like an address at all; whether it is one, a mail to it would tell.</summary>
    public static bool IsPlausible(string email) =>
        email.Length <= LongestLength && email.Trim() is var text && text.IndexOf('@', StringComparison.Ordinal) is > 0 and var at && at == text.LastIndexOf('@') && at < text.Length - 1 && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));
}

/// <summary>Makes an account with its credential. Without a password nobody can sign in to it until a one-time link has set one.</summary>
/// <param name="Name">Display name.</param>
/// <param name="Email">Sign-in address, unique in the clinic.</param>
/// <param name="Roles">Built-in roles; the first is shown in events.</param>
/// <param name="Title">Job title, or null.</param>
/// <param name="Patient">The patient whose account it is, or null for staff.</param>
/// <param name="PasswordHash">From <see cref="Passwords.HashAsync"/>, or null.</param>
/// <param name="AuthenticatorSecret">An authenticator that is enrolled already (demo), or null.</param>
internal sealed record CreateMember(
    string Name, string Email, IReadOnlyList<Role> Roles, string? Title = null, Guid? Patient = null, string? PasswordHash = null, byte[]? AuthenticatorSecret = null) : IOperation<Guid>
{
    public static Policy Policy { get; } = Policy.Changes("staff.created").ForSystem("the operator makes a clinic's first accounts, and the demo its own");

    // Records are printed by whoever logs them.
    public override string ToString() => nameof(CreateMember);
}

internal sealed class CreateMemberHandler : IHandler<CreateMember, Guid>
{
    public async Task<Result<Guid>> Handle(CreateMember request, OperationScope scope, CancellationToken cancel) =>
        Invalid(request) is { } invalid ? invalid : await AddAsync(request, scope, cancel);

    /// <summary>Adds account and credential of what is not <see cref="Invalid"/>. That the address is taken is found when the monitor saves.</summary>
    public static async Task<Guid> AddAsync(CreateMember request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.NewId();
        var subject = request.Patient ?? id;
        scope.Add(new MemberRow
        {
            Id = id,
            SubjectId = subject,
            Status = MemberRow.Active,
            Roles = [.. request.Roles.Select(role => role.Code)],
            PatientId = request.Patient,
            CreatedAt = scope.Now,
            Payload = new(request.Name.Trim(), request.Email.Trim(), request.Title),
        });
        scope.Add(new CredentialRow
        {
            Id = id,
            SubjectId = subject,
            SecurityStamp = scope.NewId(),
            TwoFactorEnabled = request.AuthenticatorSecret is not null,
            PasswordChangedAt = request.PasswordHash is null ? null : scope.Now,
            Payload = new() { PasswordHash = request.PasswordHash, AuthenticatorSecret = request.AuthenticatorSecret },
        });
        scope.Db.Add(new BlindIndexRow { TenantId = scope.Tenant.Id, IndexId = MemberAddress.IndexId, Token = await MemberAddress.TokenAsync(scope, request.Email, cancel), RowId = id });
        scope.OnConflict("blind_index_unique", SignInErrors.EmailTaken);
        scope.OnConflict("member_by_patient", PlatformErrors.Conflict);
        scope.Concerns("member", id);
        scope.NoteChange("roles", null, string.Join(' ', request.Roles.Select(role => role.Code)));
        return id;
    }

    /// <summary>What is wrong with the fields, or null.</summary>
    public static Error? Invalid(CreateMember request)
    {
        var error = Check(SignInErrors.MemberInvalid, request.Name, request.Email, request.Title);
        if (request.Roles.Count == 0) error = error.With("roles", "Choose at least one role.");
        return error.Fields.Count > 0 ? error : null;
    }

    /// <summary>The error with what is wrong about name, address and title; without fields when nothing is.</summary>
    public static Error Check(Error error, string name, string email, string? title)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 200 || name.Any(char.IsControl)) error = error.With("name", "Enter a name of at most 200 characters.");
        if (!MemberAddress.IsPlausible(email)) error = error.With("email", "Enter an email address, such as name@example.org.");
        return title is not null && (title.Length > 100 || title.Any(char.IsControl)) ? error.With("title", "Enter a title of at most 100 characters, or none.") : error;
    }
}
