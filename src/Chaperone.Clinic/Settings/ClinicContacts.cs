using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>Who gets the mails and alerts meant for the privacy lead and for the security team. Accounts by id; never empty in a clinic that has an active owner.</summary>
internal sealed record ClinicRecipients(IReadOnlyList<Guid> PrivacyLead, IReadOnlyList<Guid> Security);

/// <summary>
/// The clinic's contacts. Who was named stays named; whoever cannot be a contact any more (deactivated, or left with nothing but an employee's own file) is passed over at once, and
/// where nobody is left the owners stand in. Nobody who cannot sign in is ever a contact.
/// </summary>
internal static class ClinicContacts
{
    private static readonly string[] NoContacts = [BuiltInRole.Employee.Code, BuiltInRole.Patient.Code];

    /// <summary>Somebody who can be a contact.</summary>
    public sealed record Able(Guid Id, bool IsOwner);

    /// <summary>Everybody who can be a contact: an active account of somebody who has accepted the invitation, with a role beyond an employee's.</summary>
    public static async Task<IReadOnlyList<Able>> AbleAsync(OperationScope scope, CancellationToken cancel)
    {
        var accepted = scope.Db.Set<CredentialRow>().Where(row => row.PasswordChangedAt != null).Select(row => row.Id);
        var rows = await scope.Db.Set<MemberRow>().Where(row => row.PatientId == null && row.Status == MemberRow.Active && accepted.Contains(row.Id)).OrderBy(row => row.Id)
            .Select(row => new { row.Id, row.Roles }).ToListAsync(cancel);
        return [.. rows.Where(row => row.Roles.Except(NoContacts).Any()).Select(row => new Able(row.Id, row.Roles.Contains(BuiltInRole.Owner.Code)))];
    }

    /// <summary>Whom to tell, at this moment. For jobs and mails: they open the accounts of those they write to.</summary>
    public static async Task<ClinicRecipients> RecipientsAsync(OperationScope scope, CancellationToken cancel)
    {
        var named = (await ClinicSettings.ReadAsync(scope, cancel)).Payload;
        return Of(named, await AbleAsync(scope, cancel));
    }

    /// <summary>Whom to tell, of those who can be told.</summary>
    public static ClinicRecipients Of(NamedContacts named, IReadOnlyList<Able> able)
    {
        return new(Left(named.PrivacyLead is { } lead ? [lead] : []), Left(named.SecurityContacts));

        IReadOnlyList<Guid> Left(IReadOnlyList<Guid> wanted)
        {
            Guid[] left = [.. able.Where(member => wanted.Contains(member.Id)).Select(member => member.Id)];
            return left.Length > 0 ? left : [.. able.Where(member => member.IsOwner).Select(member => member.Id)];
        }
    }
}

/// <summary>The clinic's contacts, for everybody who has an account in it.</summary>
internal sealed record ViewContacts : IOperation<ContactsView>
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").ForSelf("everybody with an account is told whom to turn to");
}

/// <summary>Whom to turn to.</summary>
/// <param name="PrivacyLead">For privacy: one person, or the owners while nobody is named who can be.</param>
/// <param name="Security">For security, likewise.</param>
public sealed record ContactsView(ContactGroup PrivacyLead, ContactGroup Security);

/// <summary>Contacts of one sort.</summary>
/// <param name="People">By name.</param>
/// <param name="OwnersStandIn">Whether these are the owners, because nobody is named who can be a contact.</param>
public sealed record ContactGroup(IReadOnlyList<ContactPerson> People, bool OwnersStandIn);

/// <summary>Somebody to turn to.</summary>
/// <param name="Name">Their name.</param>
/// <param name="Email">Their sign-in address.</param>
/// <param name="Title">Job title, or null.</param>
public sealed record ContactPerson(string Name, string Email, string? Title);

internal sealed class ViewContactsHandler : IHandler<ViewContacts, ContactsView>
{
    public async Task<Result<ContactsView>> Handle(ViewContacts request, OperationScope scope, CancellationToken cancel)
    {
        var named = (await ClinicSettings.ReadAsync(scope, cancel)).Payload;
        var recipients = ClinicContacts.Of(named, await ClinicContacts.AbleAsync(scope, cancel));
        Guid[] shown = [.. recipients.PrivacyLead.Union(recipients.Security)];
        var rows = await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => shown.Contains(row.Id)), cancel);
        return new ContactsView(
            Group(recipients.PrivacyLead, named.PrivacyLead is { } lead ? [lead] : []),
            Group(recipients.Security, named.SecurityContacts));

        ContactGroup Group(IReadOnlyList<Guid> people, IReadOnlyList<Guid> wanted) => new(
            [.. rows.Where(row => people.Contains(row.Id)).Select(row => new ContactPerson(row.Payload.Name, row.Payload.Email, row.Payload.Title)).OrderBy(person => person.Name, StringComparer.CurrentCultureIgnoreCase)],
            !wanted.Intersect(people).Any());
    }
}
