using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Team;

/// <summary>What an account knows of its person, as somebody wants it, as typed: all of it, what is left out is not kept.</summary>
/// <param name="Name">Their name.</param>
/// <param name="Email">Their sign-in address, which no other account of the clinic may have.</param>
/// <param name="Title">Professional or job title, or null.</param>
/// <param name="RegistrationBody">A code of <see cref="Registration.Bodies"/>, or null for no entry in a register.</param>
/// <param name="RegistrationNumber">The number in that register.</param>
/// <param name="RegisterName">What the register is called when it is none of the list.</param>
/// <param name="Colour">A code of <see cref="StaffColour.All"/>, or null for any.</param>
internal sealed record WantedProfile(string? Name, string? Email, string? Title, string? RegistrationBody, string? RegistrationNumber, string? RegisterName, string? Colour)
{
    // Records are printed by whoever logs them.
    public override string ToString() => nameof(WantedProfile);

    /// <summary>The details, or what is wrong with them, field by field.</summary>
    public Result<MemberDetails> Read()
    {
        var title = string.IsNullOrWhiteSpace(Title) ? null : Title.Trim();
        var error = CreateMemberHandler.Check(TeamErrors.ProfileInvalid, Name ?? "", Email ?? "", title);
        var (registration, field, fault) = Registration.Read(RegistrationBody, RegistrationNumber, RegisterName);
        if (fault is not null) error = error.With(field!, fault);
        var colour = string.IsNullOrEmpty(Colour) ? null : Colour;
        if (colour is not null && !StaffColour.All.Any(known => known.Value == colour)) error = error.With("colour", "Choose a colour from the list.");
        return error.Fields.Count > 0 ? error : new MemberDetails(Name!.Trim(), Email!.Trim(), title) { Registration = registration, Colour = colour };
    }
}

/// <summary>
/// Changes what an account knows of its person. For somebody else's: only who could have given all its roles, so that nobody takes over an account above their own by giving it an address
/// they can read. Another sign-in address asks for a fresh second factor and ends links that were handed out; sessions and devices stay.
/// </summary>
/// <param name="Member">Whose; never one's own, for which there is <see cref="ChangeOwnProfile"/>.</param>
/// <param name="Wanted">All of it.</param>
/// <param name="IfVersion">The account's version that the actor saw.</param>
internal sealed record ChangeProfile(Guid Member, WantedProfile Wanted, long? IfVersion) : IOperation<long>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("staff.updated").Needs(Permission.TeamManage).About(MemberRow.Resource);

    public Guid ResourceId => Member;
}

internal sealed class ChangeProfileHandler : IHandler<ChangeProfile, long>
{
    public async Task<Result<long>> Handle(ChangeProfile request, OperationScope scope, CancellationToken cancel)
    {
        var found = await MemberReader.ToLetInAsync(scope, request.Member, cancel);
        return found.Error is { } error ? error : await ApplyAsync(scope, found.Value, request.Wanted, request.IfVersion, cancel);
    }

    public static async Task<Result<long>> ApplyAsync(OperationScope scope, MemberRow member, WantedProfile wanted, long? ifVersion, CancellationToken cancel)
    {
        var read = wanted.Read();
        if (read.Error is { } invalid) return invalid;
        if (OperationScope.Stale(member, ifVersion) is { } stale) return stale;
        var details = read.Value;
        if (member.PatientId is not null && details is not { Title: null, Registration: null, Colour: null }) return TeamErrors.ProfileInvalid.With("title", "A patient's account has no professional details.");

        var (before, after) = (await MemberAddress.TokenAsync(scope, member.Payload.Email, cancel), await MemberAddress.TokenAsync(scope, details.Email, cancel));
        if (!before.AsSpan().SequenceEqual(after))
        {
            if (!scope.Actor.State.IsSteppedUp(scope.Now)) return PlatformErrors.StepUpRequired;
            var id = member.Id;
            scope.OnConflict("blind_index_unique", SignInErrors.EmailTaken);
            await scope.Db.Set<BlindIndexRow>().Where(row => row.IndexId == MemberAddress.IndexId && row.RowId == id).ExecuteDeleteAsync(cancel);
            scope.Db.Add(new BlindIndexRow { TenantId = scope.Tenant.Id, IndexId = MemberAddress.IndexId, Token = after, RowId = id });
            // They may lie in a mailbox that is somebody else's: that is why the address changes.
            scope.Note("links_ended", await OneTimeLinks.EndAsync(scope, id, cancel));
        }
        member.Payload = details;
        await scope.Flush(cancel);
        return member.Version;
    }
}

/// <summary>Changes one's own details: name, title, entry in a register, colour, and with a fresh second factor the sign-in address. None of it gives rights.</summary>
/// <param name="Wanted">All of it.</param>
/// <param name="IfVersion">The account's version that the person saw.</param>
internal sealed record ChangeOwnProfile(WantedProfile Wanted, long? IfVersion) : IOperation<long>
{
    public static Policy Policy { get; } = Policy.Changes("staff.updated").ForSelf("one's own name, title, register entry, colour and address; none of it gives rights");
}

internal sealed class ChangeOwnProfileHandler : IHandler<ChangeOwnProfile, long>
{
    public async Task<Result<long>> Handle(ChangeOwnProfile request, OperationScope scope, CancellationToken cancel)
    {
        var me = scope.Actor.Id;
        scope.Concerns("member", me!.Value);
        return await scope.OpenOne(scope.Db.Set<MemberRow>().Where(row => row.Id == me), cancel) is { } row
            ? await ChangeProfileHandler.ApplyAsync(scope, row, request.Wanted, request.IfVersion, cancel)
            : PlatformErrors.NotFound;
    }
}
