using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Clinic.SignIn;

/// <summary>What a new clinic begins with.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Host">Its host name, without port.</param>
/// <param name="OwnerName">The owner's name.</param>
/// <param name="OwnerEmail">The owner's sign-in address.</param>
/// <param name="Password">The owner's password; null to get a one-time link that sets it.</param>
/// <param name="AlsoPractises">Whether the owner is a doctor too: the only time somebody gives themselves a role.</param>
/// <param name="AuthenticatorSecret">An authenticator enrolled already (demo).</param>
internal sealed record NewClinic(string Name, string Host, string OwnerName, string OwnerEmail, string? Password = null, bool AlsoPractises = false, byte[]? AuthenticatorSecret = null)
{
    public override string ToString() => nameof(NewClinic);
}

/// <summary>A clinic that was made.</summary>
/// <param name="Tenant">The clinic.</param>
/// <param name="Owner">The owner's account.</param>
/// <param name="InvitePath">Path of the link by which the owner sets the password, when none was given. Shown once.</param>
internal sealed record MadeClinic(Tenant Tenant, Guid Owner, string? InvitePath);

/// <summary>Makes clinics: for the operator's command, the demo and the set-up page.</summary>
/// <remarks>
/// Row and keys are one commit; the clinic's first events and the owner need them and follow. When it breaks off between, the clinic has no account, and making it again
/// with the same host goes on from there.
/// </remarks>
internal sealed class ClinicCreation(Databases databases, KeyRing keys, TenantDirectory directory, ReferenceMonitor monitor, Passwords passwords, TimeProvider clock)
{
    public async Task<Result<MadeClinic>> CreateAsync(NewClinic wanted, CallSource source, CancellationToken cancel)
    {
        var host = HostName.Read(wanted.Host);
        var invalid = SignInErrors.MemberInvalid;
        if (string.IsNullOrWhiteSpace(wanted.Name) || wanted.Name.Length > 200) invalid = invalid.With("clinic", "Enter the clinic's name, at most 200 characters.");
        if (host is null) invalid = invalid.With("host", "Enter a host name without port, such as clinic.example.org.");
        if (string.IsNullOrWhiteSpace(wanted.OwnerName) || wanted.OwnerName.Length > 200) invalid = invalid.With("name", "Enter the owner's name.");
        if (!MemberAddress.IsPlausible(wanted.OwnerEmail)) invalid = invalid.With("email", "Enter an email address, such as name@example.org.");
        if (wanted.Password is { } weak && Passwords.Refusal(weak, wanted.OwnerEmail, wanted.OwnerName, wanted.Name) is { } refusal) invalid = invalid.With("password", refusal);
        if (invalid.Fields.Count > 0) return invalid;

        string? hash = null;
        if (wanted.Password is { } password)
        {
            var hashed = await passwords.HashAsync(password, cancel);
            if (hashed.Error is { } busy) return busy;
            hash = hashed.Value;
        }

        if (await TenantOf(host!, wanted.Name.Trim(), cancel) is not { } tenant) return SignInErrors.HostRefused;
        var caller = new Caller(tenant, Actor.Operator, source);
        var begun = await monitor.Run(new BeginClinic(), caller, cancel);
        if (begun.Error is { } notBegun) return notBegun;
        Role[] roles = wanted.AlsoPractises ? [BuiltInRole.Owner, BuiltInRole.Doctor] : [BuiltInRole.Owner];
        var owner = await monitor.Run(new CreateMember(wanted.OwnerName, wanted.OwnerEmail, roles, PasswordHash: hash, AuthenticatorSecret: wanted.AuthenticatorSecret), caller, cancel);
        if (owner.Error is { } ownerless) return ownerless;
        if (hash is not null) return new MadeClinic(tenant, owner.Value, null);
        var link = await monitor.Run(new InviteOwner(owner.Value), caller, cancel);
        return link.Error is { } linkless ? linkless : new MadeClinic(tenant, owner.Value, link.Value);
    }

    // A new clinic with this host; or one that was begun and has no account yet; or null when the host is taken.
    private async Task<Tenant?> TenantOf(string host, string name, CancellationToken cancel)
    {
        var (id, now) = (Ids.New(clock.GetUtcNow()), clock.GetUtcNow());
        await using (var transaction = await TenantTransaction.BeginAsync(databases.App, id, cancel))
        {
            await using var insert = transaction.Command("INSERT INTO directory.tenant (id, host, name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (host) DO NOTHING", id, host, name, now);
            if (await insert.ExecuteNonQueryAsync(cancel) == 1)
            {
                await keys.CreateClinicAsync(transaction, cancel);
                await transaction.CommitAsync(cancel);
                return await directory.GetAsync(id, cancel);
            }
        }
        if (await directory.FindAsync(host, cancel) is not { } taken) return null;
        await using var look = await TenantTransaction.BeginAsync(databases.App, taken.Id, cancel);
        await using var members = look.Command("SELECT EXISTS (SELECT FROM clinic.member)");
        return await members.ExecuteScalarAsync(cancel) is true ? null : taken;
    }
}

/// <summary>A clinic's first event.</summary>
internal sealed record BeginClinic : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("clinic.created").About(Resource.Clinic).ForSystem("the operator makes clinics");
}

internal sealed class BeginClinicHandler : IHandler<BeginClinic, Done>
{
    public Task<Result<Done>> Handle(BeginClinic request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("clinic", scope.Tenant.Id);
        return Task.FromResult<Result<Done>>(default(Done));
    }
}
