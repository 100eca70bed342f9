using Chaperone.Platform.Access;

namespace Chaperone.Platform.Tests.Access;

public class AssigningTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);
    private static readonly Guid Ann = new(1, 0, 0, new byte[8]);
    private static readonly Guid Bob = new(2, 0, 0, new byte[8]);

    [Theory]
    [InlineData("owner", "owner admin manager doctor nurse clinical reception hr finance readonly employee patient")]
    [InlineData("admin", "manager doctor nurse clinical reception hr finance readonly employee patient")]
    [InlineData("manager", "clinical reception employee")]
    [InlineData("doctor", "")]
    [InlineData("nurse", "")]
    [InlineData("clinical", "")]
    [InlineData("reception", "")]
    [InlineData("hr", "")]
    [InlineData("finance", "")]
    [InlineData("readonly", "")]
    [InlineData("employee", "")]
    [InlineData("patient", "")]
    public void Built_in_roles_are_assigned_by_the_table(string assigner, string assignable) =>
        Assert.Equal(assignable, string.Join(' ', BuiltInRole.All.Where(role => Assigning.MayAssign(With(assigner), role, Now)).Select(r => r.Code)));

    [Fact]
    public void Nobody_changes_their_own_rights()
    {
        foreach (var role in BuiltInRole.All) Assert.False(Assigning.MayChange(Ann, With(role.Code), Ann, With(role.Code), Now));
    }

    [Theory]
    [InlineData("owner", "owner", true)]
    [InlineData("owner", "admin", true)]
    [InlineData("admin", "owner", false)] // not even a denial: that would be a way up by pushing others down
    [InlineData("admin", "admin", false)]
    [InlineData("admin", "doctor", true)]
    [InlineData("manager", "doctor", false)]
    [InlineData("manager", "reception", true)]
    [InlineData("doctor", "reception", false)]
    public void People_are_changed_only_by_who_could_have_made_them(string assigner, string target, bool may) =>
        Assert.Equal(may, Assigning.MayChange(Ann, With(assigner), Bob, With(target), Now));

    [Fact]
    public void One_role_out_of_reach_protects_all_of_somebody()
    {
        Assert.False(Assigning.MayChange(Ann, With("admin"), Bob, ActorRights.Compile([new(BuiltInRole.Reception), new(BuiltInRole.Owner)], [], []), Now));
        Assert.True(Assigning.MayChange(Ann, With("admin"), Bob, ActorRights.Compile([new(BuiltInRole.Reception), new(BuiltInRole.Owner, Now)], [], []), Now));
    }

    [Fact]
    public void Ended_roles_assign_nothing() =>
        Assert.False(Assigning.MayAssign(ActorRights.Compile([new(BuiltInRole.Owner, Now)], [], []), BuiltInRole.Nurse, Now));

    [Fact]
    public void Single_grants_hold_only_what_the_assigner_holds_or_may_assign()
    {
        Assert.True(Assigning.MayAssign(With("owner"), Permission.NoteView, Now)); // through doctor
        Assert.True(Assigning.MayAssign(With("admin"), Permission.NoteView, Now));
        Assert.True(Assigning.MayAssign(With("admin"), Permission.PaymentReport, Now)); // through finance
        Assert.False(Assigning.MayAssign(With("admin"), Permission.ExportFull, Now)); // only owners have it
        Assert.False(Assigning.MayAssign(With("admin"), Permission.KeyManage, Now));
        Assert.True(Assigning.MayAssign(With("manager"), Permission.PaymentTake, Now)); // through reception
        Assert.False(Assigning.MayAssign(With("manager"), Permission.PayrollView, Now));
        Assert.False(Assigning.MayAssign(With("manager"), Permission.NoteView, Now)); // clinical holds it for own patients only, a grant would be for all
        Assert.False(Assigning.MayAssign(With("manager"), Permission.HrView, Now)); // employee: own file only
        Assert.False(Assigning.MayAssign(With("patient"), Permission.NoteView, Now));
    }

    [Fact]
    public void What_is_denied_to_somebody_they_cannot_pass_on()
    {
        var denied = ActorRights.Compile([new(BuiltInRole.Owner)], [], [new(Permission.PatientExport)]);
        Assert.False(Assigning.MayAssign(denied, Permission.PatientExport, Now));
        Assert.False(Assigning.MayAssign(denied, Role.Custom(Bob, "exporter", [Permission.PatientExport]), Now));
    }

    [Fact]
    public void Elevation_cannot_be_passed_on() =>
        Assert.False(Assigning.MayAssign(ActorRights.Compile([new(BuiltInRole.Manager)], [new(Permission.ExportFull, Source: GrantSource.Elevation)], []), Permission.ExportFull, Now));

    [Fact]
    public void Custom_roles_hold_only_what_the_assigner_could_grant()
    {
        Assert.True(Assigning.MayAssign(With("admin"), Role.Custom(Bob, "biller", [Permission.InvoiceView, Permission.PaymentReport]), Now));
        Assert.False(Assigning.MayAssign(With("admin"), Role.Custom(Bob, "helper", [Permission.InvoiceView, Permission.ExportFull]), Now));
        // A clinic's role cannot borrow a built-in role's name to be assigned like it.
        var forged = Role.Custom(Bob, "Receptionist", [Permission.KeyManage]);
        Assert.StartsWith("custom-", forged.Code, StringComparison.Ordinal);
        Assert.False(Assigning.MayAssign(With("manager"), forged, Now));
    }

    private static ActorRights With(string role) => BuiltInRole.TryFind(role, out var found) ? ActorRights.Compile([new(found)], [], []) : throw new ArgumentOutOfRangeException(nameof(role), role, null);
}
