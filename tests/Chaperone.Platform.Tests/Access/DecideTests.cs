using System.Diagnostics;
using Chaperone.Platform.Access;
using FsCheck;
using FsCheck.Fluent;

namespace Chaperone.Platform.Tests.Access;

public class DecideTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);

    /// <summary>Every role x permission x relation x state x step-up, against the table in RoleTable and rules written again from the design.</summary>
    [Fact]
    public void Decide_agrees_with_the_table_in_every_case()
    {
        var count = 0;
        foreach (var role in BuiltInRole.All)
            foreach (var allPatients in new[] { true, false })
            {
                var rights = ActorRights.Compile([new(role)], [], [], allPatients);
                foreach (var permission in Permission.All)
                    foreach (var relation in Enum.GetValues<Relation>())
                        for (var bits = 0; bits < 32; bits++)
                        {
                            var (enrolled, elevated, steppedUp, suspended, stepUp) = ((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0);
                            var state = new ActorState(enrolled, elevated, steppedUp ? Now - TimeSpan.FromMinutes(4) : Now - TimeSpan.FromMinutes(5), suspended);
                            var decision = AccessRules.Decide(rights, permission, relation, state, new(stepUp), Now);
                            var expected = Expected(role.Code, permission.Code, relation, allPatients, enrolled, steppedUp, suspended, stepUp);
                            Assert.True(expected == decision.Refusal, $"{role} {permission} {relation} {state} all patients {allPatients}, step-up {stepUp}: expected {expected}, got {decision}");
                            Assert.Equal(expected == Refusal.None, decision.Allowed);
                            if (decision.Allowed) Assert.Equal($"role:{role.Code}/{permission.Code}", decision.Rule);
                            count++;
                        }
            }
        Assert.Equal(12 * 2 * Permission.All.Length * 5 * 32, count);
    }

    private static Refusal Expected(string role, string permission, Relation relation, bool allPatients, bool enrolled, bool steppedUp, bool suspended, bool stepUp)
    {
        if (suspended) return Refusal.Suspended;
        if (!enrolled) return Refusal.EnrolmentRequired;
        if (relation == Relation.None) return Refusal.NoRelation;
        var aboutPatient = RoleTable.AboutPatients.Contains(permission);
        var aboutPerson = aboutPatient || RoleTable.AboutStaff.Contains(permission);
        var weakest = RoleTable.Weakest(role, permission);
        if (weakest == Relation.SameClinic && aboutPatient && !allPatients && role is "doctor" or "nurse") weakest = Relation.Shared;
        // What the role may look at at all: nobody but oneself, one's own patients, or the clinic.
        var sees = role switch
        {
            "patient" or "employee" => Relation.Own,
            "clinical" when aboutPatient => Relation.Shared,
            "doctor" or "nurse" when aboutPatient && !allPatients => Relation.Shared,
            "doctor" when permission.StartsWith("commission.", StringComparison.Ordinal) || RoleTable.AboutStaff.Contains(permission) => Relation.Own,
            _ => Relation.SameClinic,
        };
        if (weakest is not { } needs) return aboutPerson && relation < sees ? Refusal.NoRelation : Refusal.NoPermission;
        if (relation < needs) return Refusal.NoRelation;
        return stepUp && !steppedUp ? Refusal.StepUpRequired : Refusal.None;
    }

    [Fact]
    public void Table_knows_every_permission_and_role()
    {
        Assert.Equal(12, BuiltInRole.All.Length);
        var listed = RoleTable.Roles.Values.SelectMany(r => r.Keys).ToHashSet();
        Assert.Empty(Permission.All.Select(p => p.Code).Except(listed));
        Assert.Empty(listed.Except(Permission.All.Select(p => p.Code)));
        Assert.Equal(RoleTable.AboutPatients.Order(), Permission.All.Where(p => p.About == PermissionAbout.Patient).Select(p => p.Code).Order());
        Assert.Equal(RoleTable.AboutStaff.Order(), Permission.All.Where(p => p.About == PermissionAbout.Staff).Select(p => p.Code).Order());
        Assert.Equal(["owner", "admin", "hr", "finance"], BuiltInRole.All.Where(r => r.AlwaysNeedsTwoFactor).Select(r => r.Code));
        Assert.DoesNotContain(BuiltInRole.ReadOnly.Rights, r => !r.Permission.Code.EndsWith(".view", StringComparison.Ordinal) && r.Permission != Permission.PatientViewMasked);
    }

    [Fact]
    public void Permissions_are_found_by_code_and_told_in_words()
    {
        foreach (var permission in Permission.All)
        {
            Assert.True(Permission.TryFind(permission.Code, out var found));
            Assert.Same(permission, found);
            Assert.Matches(@"^[a-z_]+(\.[a-z_]+)+$", permission.Code);
            Assert.True(char.IsLower(permission.Sentence[0]) && !permission.Sentence.EndsWith('.'));
        }
        Assert.False(Permission.TryFind("patient.VIEW", out _));
        Assert.Equal(Permission.All.Length, Permission.All.Select(p => p.Sentence).Distinct().Count());
    }

    [Fact]
    public void A_denial_beats_any_roles_grants_and_elevations()
    {
        var roles = Gen.SubListOf(BuiltInRole.All.ToArray());
        var grants = Gen.SubListOf(Permission.All.ToArray());
        Prop.ForAll(roles.ToArbitrary(), grants.ToArbitrary(), Gen.Elements(Permission.All.ToArray()).ToArbitrary(), (held, granted, denied) =>
        {
            var everything = granted.Append(denied).SelectMany(p => new[] { new PermissionGrant(p), new PermissionGrant(p, Source: GrantSource.Elevation) });
            var rights = ActorRights.Compile(held.Select(r => new RoleAssignment(r)), everything, [new(denied)]);
            return Enum.GetValues<Relation>().All(relation =>
            {
                var decision = AccessRules.Decide(rights, denied, relation, new(true, true, Now, false), default, Now);
                return !decision.Allowed && (relation == Relation.None || decision.Rule == "deny:" + denied.Code);
            }) && !rights.Holds(denied, elevated: true, Now);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void More_roles_never_take_anything_away()
    {
        Prop.ForAll(Gen.SubListOf(BuiltInRole.All.ToArray()).ToArbitrary(), Gen.Elements(BuiltInRole.All.ToArray()).ToArbitrary(), (held, more) =>
        {
            var fewer = ActorRights.Compile(held.Select(r => new RoleAssignment(r)), [], []);
            var all = ActorRights.Compile(held.Append(more).Select(r => new RoleAssignment(r)), [], []);
            return Permission.All.All(p => Enum.GetValues<Relation>().All(relation =>
                !AccessRules.Decide(fewer, p, relation, ActorState.Normal, default, Now).Allowed || AccessRules.Decide(all, p, relation, ActorState.Normal, default, Now).Allowed));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Ends_hold_to_the_tick()
    {
        var rights = ActorRights.Compile(
            [new(BuiltInRole.Doctor, Now)], [new(Permission.PatientExport, Now), new(Permission.PatientExport, Now.AddHours(-1))], [new(Permission.NoteView, Now.AddHours(-1)), new(Permission.NoteView, Now.AddMinutes(-1))]);
        var before = Now.AddTicks(-1);
        Assert.True(Allowed(Permission.PatientView, before));
        Assert.False(Allowed(Permission.PatientView, Now));
        Assert.Equal("grant:patient.export", AccessRules.Decide(rights, Permission.PatientExport, Relation.SameClinic, ActorState.Normal, default, before).Rule);
        Assert.False(Allowed(Permission.PatientExport, Now));
        Assert.False(Allowed(Permission.NoteView, Now.AddMinutes(-1).AddTicks(-1)));
        Assert.True(Allowed(Permission.NoteView, Now.AddMinutes(-1)));

        bool Allowed(Permission permission, DateTimeOffset at) => AccessRules.Decide(rights, permission, Relation.SameClinic, ActorState.Normal, default, at).Allowed;
    }

    [Fact]
    public void Elevation_counts_only_while_elevated()
    {
        var rights = ActorRights.Compile([new(BuiltInRole.Clinical)], [new(Permission.NoteView, Now.AddHours(1), Relation.SameClinic, GrantSource.Elevation)], []);
        var elevated = ActorState.Normal with { Elevated = true };
        Assert.Equal(new Decision(true, "elevation:note.view", Refusal.None), AccessRules.Decide(rights, Permission.NoteView, Relation.SameClinic, elevated, default, Now));
        Assert.Equal(Refusal.NoRelation, AccessRules.Decide(rights, Permission.NoteView, Relation.SameClinic, ActorState.Normal, default, Now).Refusal);
        Assert.Equal("role:clinical/note.view", AccessRules.Decide(rights, Permission.NoteView, Relation.Own, elevated, default, Now).Rule);
        Assert.False(AccessRules.Decide(rights, Permission.NoteView, Relation.SameClinic, elevated, default, Now.AddHours(1)).Allowed);
    }

    [Fact]
    public void Step_up_counts_for_five_minutes()
    {
        var rights = ActorRights.Compile([new(BuiltInRole.Admin)], [], []);
        (TimeSpan? Age, bool Holds)[] ages = [(null, false), (TimeSpan.Zero, true), (TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1), true), (TimeSpan.FromMinutes(5), false),
            (TimeSpan.FromSeconds(-60), true), (TimeSpan.FromSeconds(-61), false)];
        foreach (var (age, holds) in ages)
        {
            var state = ActorState.Normal with { SteppedUpAt = Now - age };
            Assert.Equal(holds ? Refusal.None : Refusal.StepUpRequired, AccessRules.Decide(rights, Permission.PatientExport, Relation.SameClinic, state, new(StepUp: true), Now).Refusal);
        }
        // Who may not do it anyway is not asked for a code.
        Assert.Equal(Refusal.NoPermission, AccessRules.Decide(rights, Permission.ExportFull, Relation.SameClinic, ActorState.Normal, new(StepUp: true), Now).Refusal);
    }

    [Fact]
    public void Forgotten_state_refuses() =>
        Assert.Equal(Refusal.EnrolmentRequired, AccessRules.Decide(ActorRights.Compile([new(BuiltInRole.Owner)], [], []), Permission.PatientView, Relation.Own, default, default, Now).Refusal);

    [Fact]
    public void Nobody_learns_from_a_refusal_that_a_record_exists()
    {
        // A patient asks for another patient's record, first by what patients may do, then by what they may not: the same answer as for nothing at all.
        foreach (var rights in new[] { ActorRights.Compile([new(BuiltInRole.Patient)], [], []), ActorRights.Compile([new(BuiltInRole.Patient)], [], [new(Permission.PatientView)]),
            ActorRights.Compile([new(BuiltInRole.Clinical)], [], [new(Permission.PatientView)]) })
            foreach (var permission in Permission.All.Where(p => p.About == PermissionAbout.Patient))
                Assert.Equal(Refusal.NoRelation, AccessRules.Decide(rights, permission, Relation.SameClinic, ActorState.Normal, default, Now).Refusal);
    }

    [Fact]
    public void Decide_allocates_nothing_and_takes_under_a_microsecond()
    {
        var roles = Enumerable.Range(0, 100).Select(i => new RoleAssignment(
            Role.Custom(new Guid(i, 0, 0, new byte[8]), $"role {i}", Permission.All.Where((_, n) => (n + i) % 3 != 0)), i % 2 == 0 ? null : Now.AddDays(i))).ToArray();
        var grants = Permission.All.Take(10).Select((p, i) => new PermissionGrant(p, Now.AddHours(i), Relation.Shared)).ToArray();
        var denials = Permission.All.TakeLast(10).Select((p, i) => new PermissionDenial(p, Now.AddHours(i - 5))).ToArray();
        var rights = ActorRights.Compile(roles, grants, denials);
        var state = ActorState.Normal with { SteppedUpAt = Now };
        Assert.True(Permission.All.Length >= 80);
        Run(20_000 / Permission.All.Length);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(10);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        // The best of several rounds, so that a busy machine does not fail a fast function.
        var best = TimeSpan.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var started = Stopwatch.GetTimestamp();
            var decisions = Run(100);
            var each = Stopwatch.GetElapsedTime(started) / decisions;
            if (each < best) best = each;
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{best.TotalNanoseconds:0} ns a decision");
        Assert.True(best < TimeSpan.FromMicroseconds(1), $"{best.TotalNanoseconds:0} ns a decision");

        int Run(int times)
        {
            var decisions = 0;
            for (var i = 0; i < times; i++)
                foreach (var permission in Permission.All)
                    for (var relation = Relation.None; relation <= Relation.Own; relation++, decisions++)
                        AccessRules.Decide(rights, permission, relation, state, new(StepUp: true), Now);
            return decisions;
        }
    }
}
