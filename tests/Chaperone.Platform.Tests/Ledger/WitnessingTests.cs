using System.Net;
using System.Net.Sockets;
using System.Text;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.TestSupport;

namespace Chaperone.Platform.Tests.Ledger;

/// <summary>Cosignatures on a clinic's checkpoints: with the real witness, without it, with liars, and against whoever rules the database and its keys.</summary>
public sealed class WitnessingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_witness_cosigned_stands_under_the_checkpoint_and_the_log_verifies_with_it()
    {
        await using var log = await LogFixture.CreateAsync();
        await using var witness = await TestWitness.StartAsync(await KeyAsync(log));
        using var client = Client();
        var witnessing = Witnessing(log, client);
        Assert.Equal(WitnessStanding.New, (await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel)).After);    // nothing is signed yet
        foreach (var count in new[] { 1, 299, 1, 700 })
        {
            await log.FillAsync(count);
            var (_, after) = await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel);
            Assert.Null(after.Fault);
            Assert.Equal(after, (await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel)).After with { AskedAt = after.AskedAt, CosignedAt = after.CosignedAt });
            var note = await NewestAsync(log);
            Assert.True(note.IsCosignedBy(witness.Key, out _) && note.IsSignedBy(await KeyAsync(log)));
            Assert.Equal(2, note.Signatures.Count);
        }
        // A later cosignature of an hour covers the earlier ones.
        Assert.Equal("1001", await log.Database.ExecuteAsync("SELECT string_agg(size::text, ',' ORDER BY size) FROM ledger.checkpoint WHERE keep = 'witnessed'"));
        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.True(WitnessPolicy.TryParse(Encoding.UTF8.GetBytes(WitnessSettings.None.PolicyOf(await KeyAsync(log), [witness.AsEntered(log.Tenant) with { Required = true }])), out var policy));
        Assert.True(policy.NeedsWitnesses && policy.IsSatisfiedBy(await NewestAsync(log)));
    }

    [Fact]
    public async Task Two_witnesses_stand_side_by_side_and_only_what_another_covers_is_thrown_away()
    {
        await using var log = await LogFixture.CreateAsync();
        await using var one = await TestWitness.StartAsync(await KeyAsync(log));
        await using var two = await TestWitness.StartAsync(await KeyAsync(log));
        using var client = Client();
        var witnessing = Witnessing(log, client);
        await log.FillAsync(5);
        await Task.WhenAll(witnessing.AskAsync(log.Tenant, one.AsEntered(), Cancel), witnessing.AskAsync(log.Tenant, two.AsEntered(), Cancel));
        var note = await NewestAsync(log);
        Assert.True(note.IsCosignedBy(one.Key, out _) && note.IsCosignedBy(two.Key, out _));
        await log.FillAsync(5);
        await witnessing.AskAsync(log.Tenant, one.AsEntered(), Cancel);
        Assert.Equal("5,10", await log.Database.ExecuteAsync("SELECT string_agg(size::text, ',' ORDER BY size) FROM ledger.checkpoint"));
        await witnessing.AskAsync(log.Tenant, two.AsEntered(), Cancel);
        Assert.Equal("10", await log.Database.ExecuteAsync("SELECT string_agg(size::text, ',' ORDER BY size) FROM ledger.checkpoint"));
        // Nobody takes a signature away or adds anything else.
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => log.Database.ExecuteAsync("UPDATE ledger.checkpoint SET note = left(note, 150)"));
    }

    [Fact]
    public async Task Without_a_witness_the_log_goes_on_and_afterwards_the_witness_catches_up()
    {
        await using var log = await LogFixture.CreateAsync();
        await using var witness = await TestWitness.StartAsync(await KeyAsync(log));
        using var client = Client();
        var witnessing = Witnessing(log, client);
        await log.FillAsync(10);
        await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel);
        await witness.StopAsync();
        await log.FillAsync(300);
        var (_, down) = await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel);
        Assert.Equal((WitnessFault.Unreachable, 10L), (down.Fault, down.Size));
        await log.FillAsync(300);
        var (_, still) = await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel);
        Assert.Equal(down.FailingSince!.Value, still.FailingSince!.Value, TimeSpan.FromMilliseconds(1));
        await witness.StartAgainAsync();
        var (before, back) = await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel);
        Assert.Equal((WitnessFault.Unreachable, null, 610L, null), (before.Fault, back.Fault, back.Size, back.FailingSince));

        // What the witness remembers counts, not what we do: its answer was lost, our state was lost, or somebody else asked it.
        await log.AttackAsync("DELETE FROM ledger.witness_state");
        await log.AttackAsync("DELETE FROM ledger.checkpoint WHERE size < 610; UPDATE ledger.checkpoint SET cosigned_by = '{}'");
        Assert.Null((await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel)).After.Fault);
        await log.AttackAsync("DELETE FROM ledger.witness_state");
        await log.FillAsync(1);
        Assert.Equal(611, (await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel)).After.Size);
    }

    [Fact]
    public async Task Liars_strangers_and_the_slow_are_told_apart_and_nothing_of_theirs_is_kept()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(5);
        await using var witness = await TestWitness.StartAsync(await KeyAsync(log));
        await using var stranger = await TestWitness.StartAsync();
        using var client = Client();
        var witnessing = Witnessing(log, client);
        async Task<WitnessFault?> Ask(LogWitness asked) => (await witnessing.AskAsync(log.Tenant, asked, Cancel)).After.Fault;
        Assert.Equal(WitnessFault.WrongSignature, await Ask(witness.AsEntered() with { Key = stranger.Key }));
        Assert.Equal(WitnessFault.UnknownLog, await Ask(stranger.AsEntered()));
        using var other = new NoteSigner($"{log.Installation}/ledger/{log.Tenant}", Hash256.Of("another key"u8).ToArray());
        await using var misled = await TestWitness.StartAsync(other.Key);
        Assert.Equal(WitnessFault.OtherKey, await Ask(misled.AsEntered()));

        foreach (var (answer, fault) in new (string, WitnessFault)[]
        {
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", WitnessFault.WrongSignature), ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", WitnessFault.WrongSignature),
            ("HTTP/1.1 302 Found\r\nLocation: " + witness.Address + "add-checkpoint\r\nContent-Length: 0\r\n\r\n", WitnessFault.NotAWitness), ("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", WitnessFault.Unable),
            ("HTTP/1.1 409 Conflict\r\nContent-Type: text/x.tlog.size\r\nContent-Length: 2\r\n\r\n3\n", WitnessFault.NotAWitness),       // for ever the same size, whatever it is asked with
            ("HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n3\n", WitnessFault.NotAWitness), ("HTTP/1.1 409 Conflict\r\nContent-Type: text/x.tlog.size\r\nContent-Length: 3\r\n\r\n-3\n", WitnessFault.NotAWitness),
            ("HTTP/1.1 409 Conflict\r\nContent-Type: text/x.tlog.size\r\nContent-Length: 5\r\n\r\n9999\n", WitnessFault.Objects), ("HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n", WitnessFault.Objects),
            ("HTTP/1.1 200 OK\r\n\r\n" + new string('x', 200_000), WitnessFault.NotAWitness), ("220 mail.example ESMTP\r\n", WitnessFault.NotAWitness), ("", WitnessFault.NotAWitness),
        })
        {
            using var liar = new Liar(answer);
            Assert.Equal((answer, fault), (answer, await Ask(new(null, "Liar", liar.Address, stranger.Key, false))));
        }
        using (var silent = new Liar(null))
        {
            using var hasty = new WitnessClient(new([]), TimeSpan.FromMilliseconds(300));
            Assert.Equal(WitnessFault.Slow, (await Witnessing(log, hasty).AskAsync(log.Tenant, new(null, "Slow", silent.Address, witness.Key, false), Cancel)).After.Fault);
        }
        Assert.Single((await NewestAsync(log)).Signatures);
        Assert.Equal(0L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.checkpoint WHERE keep IS NOT NULL OR cosigned_by <> '{}'"));
    }

    [Fact]
    public async Task A_clinics_witness_leads_into_no_network_but_the_public_one_and_those_allowed()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(5);
        await using var witness = await TestWitness.StartAsync(await KeyAsync(log));
        using var guarded = Client();
        foreach (var address in new[] { witness.Address, new Uri($"http://localhost:{witness.Address.Port}"), new Uri($"https://localhost:{witness.Address.Port}"), new Uri($"http://[::ffff:127.0.0.1]:{witness.Address.Port}") })
            Assert.Equal(WitnessFault.Forbidden, (await Witnessing(log, guarded).AskAsync(log.Tenant, witness.AsEntered(log.Tenant) with { Prefix = address }, Cancel)).After.Fault);
        Assert.Equal(0, witness.SizeOf($"{log.Installation}/ledger/{log.Tenant}"));
        using var allowed = new WitnessClient(new([IPNetwork.Parse("127.0.0.0/8")]));
        Assert.Null((await Witnessing(log, allowed).AskAsync(log.Tenant, witness.AsEntered(log.Tenant), Cancel)).After.Fault);

        var networks = new OutsideNetworks([IPNetwork.Parse("192.168.7.0/24")]);
        foreach (var open in new[] { "1.1.1.1", "8.8.8.8", "2606:4700::1111", "192.168.7.9", "::ffff:1.1.1.1" }) Assert.True(networks.MayConnect(IPAddress.Parse(open), tls: true), open);
        foreach (var closed in new[]
        {
            "127.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.8.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1",
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001::1",
        }) Assert.False(networks.MayConnect(IPAddress.Parse(closed), tls: true), closed);
        Assert.False(networks.MayConnect(IPAddress.Parse("1.1.1.1"), tls: false));
        Assert.True(networks.MayConnect(IPAddress.Parse("192.168.7.9"), tls: false));
    }

    [Fact]
    public async Task A_log_made_anew_and_signed_with_the_real_key_is_caught_by_the_witness_and_by_a_kept_checkpoint()
    {
        await using var log = await LogFixture.CreateAsync();
        await using var witness = await TestWitness.StartAsync(await KeyAsync(log));
        using var client = Client();
        await log.FillAsync(20);
        Assert.Null((await Witnessing(log, client).AskAsync(log.Tenant, witness.AsEntered(), Cancel)).After.Fault);
        var kept = await File.ReadAllBytesAsync(log.File.PathOf(log.Tenant), Cancel);

        // With all keys: another first event, the tree built anew over all entries, every trace of what was signed removed, and then it grows on.
        var elsewhere = Directory.CreateTempSubdirectory("chaperone-forged-").FullName;
        await log.AttackAsync(
            """
            INSERT INTO ledger.pending SELECT p.tenant_id, id, '2030-01-01', '\x01' || CASE at WHEN 5 THEN decode(repeat('5a', 32), 'hex') ELSE substr(entry_hashes, (at::int - 1) * 32 + 1, 32) END
              FROM ledger.position p, unnest(event_ids) WITH ORDINALITY AS e (id, at);
            DELETE FROM ledger.position; DELETE FROM ledger.tile; DELETE FROM ledger.tree; DELETE FROM ledger.checkpoint; DELETE FROM ledger.witness_state;
            """);
        using var forger = log.NewSequencer(elsewhere);
        await forger.FlushAsync(log.Tenant, Cancel);
        var witnessing = new Witnessing(log.Databases, client, forger, TimeProvider.System);
        for (var i = 0; i < 2; i++)
        {
            var (_, after) = await witnessing.AskAsync(log.Tenant, witness.AsEntered(), Cancel);
            Assert.Equal(WitnessFault.Objects, after.Fault);
            await log.AppendAsync([log.Event("patient.viewed", log.Person())]);
            await forger.FlushAsync(log.Tenant, Cancel);
        }
        Assert.Equal(20, witness.SizeOf($"{log.Installation}/ledger/{log.Tenant}"));
        Assert.Single((await NewestAsync(log)).Signatures);
        Assert.True(await witnessing.TellAsync(log.Tenant, witness.AsEntered(), WitnessStanding.Objects, Cancel));
        Assert.False(await witnessing.TellAsync(log.Tenant, witness.AsEntered(), WitnessStanding.Objects, Cancel));

        var report = await log.Verifier(elsewhere).VerifyAsync(log.Tenant, "Clinic", kept, null, Cancel);
        Assert.Equal(1, report.ExitCode);
        Assert.Equal("The first 20 entries are not those that the given checkpoint was signed over; the first 0 are.", report.FirstBad);
        Assert.Contains(report.Problems, problem => problem.Index == 4);      // whose body is not what the forged entry says

        // A tail that was cut off: the witness knows of more than there is.
        await log.AttackAsync("DELETE FROM ledger.witness_state; DELETE FROM ledger.checkpoint; DELETE FROM ledger.tree; DELETE FROM ledger.position; DELETE FROM ledger.tile; DELETE FROM ledger.pending");
        await log.AppendAsync([log.Event("patient.viewed", log.Person())]);
        var third = Directory.CreateTempSubdirectory("chaperone-forged-").FullName;
        using var cutter = log.NewSequencer(third);
        await cutter.FlushAsync(log.Tenant, Cancel);
        Assert.Equal(WitnessFault.Objects, (await new Witnessing(log.Databases, client, cutter, TimeProvider.System).AskAsync(log.Tenant, witness.AsEntered(), Cancel)).After.Fault);
        Directory.Delete(elsewhere, recursive: true);
        Directory.Delete(third, recursive: true);
    }

    [Fact]
    public void The_operators_policy_is_read_and_joined_with_what_a_clinic_requires()
    {
        using var signer = new NoteSigner("log.example", Hash256.Of("log"u8).ToArray());
        var keys = Enumerable.Range(0, 3).Select(i => new VerifierKey($"w{i}.example", Ed25519.PublicKey(Hash256.Of([(byte)i]).ToArray()), SignatureType.CosignatureV1)).ToArray();
        var text = $"# ours\nlog {signer.Key}\nwitness a {keys[0]} https://a.example/w\nwitness b {keys[1]} http://10.0.0.7:8765\ngroup any-two any a b\nquorum any-two\n";
        var (settings, wrong) = WitnessSettings.Read(Encoding.UTF8.GetBytes(text), "10.0.0.0/8, 192.168.1.5");
        Assert.Null(wrong);
        Assert.Equal((2, 2, "any-two"), (settings!.Operators.Count, settings.Networks.Count, settings.Quorum));
        var own = new LogWitness(Guid.AllBitsSet, "Anna's laptop", new("https://c.example"), keys[2], Required: true);
        Assert.True(WitnessPolicy.TryParse(Encoding.UTF8.GetBytes(settings.PolicyOf(signer.Key, [.. settings.Operators, own])), out var joined));
        Assert.Equal((3, "clinic-quorum"), (joined.Witnesses.Count, joined.Quorum));
        Assert.DoesNotContain("Anna", settings.PolicyOf(signer.Key, [.. settings.Operators, own]), StringComparison.Ordinal);
        Assert.True(WitnessPolicy.TryParse(Encoding.UTF8.GetBytes(settings.PolicyOf(signer.Key, [own], asks: false)), out var named) && !named.NeedsWitnesses);
        foreach (var bad in new[] { "nonsense", "quorum x\n", $"witness a {keys[0]}\nquorum none\n", $"witness a {keys[0]} ftp://a.example\nquorum none\n", $"witness a {signer.Key} https://a.example\nquorum none\n" })
            Assert.NotNull(WitnessSettings.Read(Encoding.UTF8.GetBytes(bad), null).Wrong);
        Assert.NotNull(WitnessSettings.Read(null, "10.0.0.0/8 everything").Wrong);

        // So many of the clinic's own, whichever; with those it requires; and never more than there are.
        var three = Enumerable.Range(0, 3).Select(i => new NoteSigner($"w{i}.example", Hash256.Of([(byte)i]).ToArray())).ToArray();
        LogWitness[] own3 = [.. three.Select((each, i) => new LogWitness(Guid.NewGuid(), "Anna", new("https://w.example"), new(each.Key.Name, each.Key.PublicKey, SignatureType.CosignatureV1), Required: i == 0))];
        var note = new Checkpoint(signer.Key.Name, 0, Merkle.EmptyRoot).Sign(signer);
        bool Met(int needed, params int[] who) => WitnessPolicy.TryParse(Encoding.UTF8.GetBytes(WitnessSettings.None.PolicyOf(signer.Key, own3, needed: needed)), out var some)
            && some.IsSatisfiedBy(note.With(who.Select(i => three[i].Cosign(note.Text, DateTimeOffset.UnixEpoch.AddYears(56)))));
        Assert.True(Met(0, 0) && Met(2, 0, 1) && Met(2, 0, 2) && Met(3, 0, 1, 2) && Met(9, 0, 1, 2));
        Assert.False(Met(0, 1) || Met(2, 0) || Met(2, 1, 2) || Met(3, 0, 1) || Met(9, 0, 1));
        foreach (var each in three) each.Dispose();
    }

    private static WitnessClient Client() => new(new([]));

    private static Witnessing Witnessing(LogFixture log, WitnessClient client) => new(log.Databases, client, log.Sequencer, TimeProvider.System);

    private static async Task<VerifierKey> KeyAsync(LogFixture log) => (await log.Keys.Signer(log.Tenant, $"{log.Installation}/ledger/{log.Tenant}", Cancel)).Key;

    private static async Task<SignedNote> NewestAsync(LogFixture log)
    {
        var text = (string)(await log.Database.ExecuteAsync("SELECT note FROM ledger.checkpoint ORDER BY size DESC LIMIT 1"))!;
        Assert.True(SignedNote.TryParse(Encoding.UTF8.GetBytes(text), out var note), text);
        return note;
    }

    /// <summary>Answers every connection the same, or never.</summary>
    private sealed class Liar : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly System.Collections.Concurrent.ConcurrentBag<TcpClient> open = [];      // a connection that only a sleeper holds is collected, and so closed

        public Liar(string? answer)
        {
            listener.Start();
            _ = Task.Run(async () =>
            {
                while (true)
                {
                    var client = await listener.AcceptTcpClientAsync();
                    open.Add(client);
                    _ = Task.Run(async () =>
                    {
                        using (client)
                        {
                            var stream = client.GetStream();
                            _ = await stream.ReadAsync(new byte[65536]);
                            if (answer is null) await Task.Delay(Timeout.Infinite);
                            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer!));
                        }
                    });
                }
            });
        }

        public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

        public void Dispose()
        {
            listener.Dispose();
            foreach (var client in open) client.Dispose();
        }
    }
}
