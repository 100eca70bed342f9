using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Investigations;
using Chaperone.Clinic.Tests.AuditLog;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Investigations;

/// <summary>The clinic of <see cref="AuditWorld"/> with two administrators, one of whom may be looked into.</summary>
public abstract class CaseWorld : AuditWorld
{
    private protected Caller Admin { get; private set; } = null!;

    private protected Caller Suspect { get; private set; } = null!;

    private protected async Task StaffAsync()
    {
        Admin = await MemberAsync("Agnes Verity", BuiltInRole.Admin);
        Suspect = await MemberAsync("Sly Underhand", BuiltInRole.Admin);
    }

    private protected async Task<OpenedCase> OpenAsync(params Guid[] about)
    {
        if (Admin is null) await StaffAsync();
        return await Run(new OpenCase("Records of a neighbour", "Somebody says a neighbour's record was read.", about, null, new([.. (await SeenAsync()).Select(seen => seen.Id)])), Owner);
    }

    /// <summary>The doctor's looks at Ada's record.</summary>
    private protected async Task<IReadOnlyList<LedgerEvent>> SeenAsync() =>
        [.. (await Platform.EventsAsync(Clinic)).Where(each => each.Action == "patient.viewed" && each.Actor.Id == Doctor.Actor.Id && each.Subjects.Contains(Ada))];

    private protected async Task<Error> Refused<T>(IOperation<T> operation, Caller caller)
    {
        var result = await Try(operation, caller);
        Assert.False(result.Succeeded, operation.GetType().Name + " was not refused.");
        return result.Error!;
    }

    private protected async Task<LedgerEvent> Left(string action) => (await Platform.EventsAsync(Clinic)).Where(each => each.Action == action).MaxBy(each => each.Id)!;

    private protected async Task<IReadOnlyList<LedgerEvent>> OfCaseAsync(Guid id, Caller reader) =>
        [.. (await All(AuditQuery.None, reader)).Select(read => read.Event).Where(each => each.Entity?.Id == id)];
}
