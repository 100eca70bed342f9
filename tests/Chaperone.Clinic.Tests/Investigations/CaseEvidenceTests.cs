using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Chaperone.Clinic.Investigations;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Investigations;

/// <summary>The evidence of a case, made by the product, checked by the verifier, and attacked byte by byte.</summary>
public sealed class CaseEvidenceTests : CaseWorld
{
    [Fact]
    public async Task Evidence_holds_every_event_with_its_proof_and_leaves_an_event_of_its_own()
    {
        var seen = await SeenAsync();
        var opened = await OpenAsync(Ada);
        await Run(new AddCaseNote(opened.Id, "Spoke with the patient."), Owner);
        var (status, body, headers) = await Send("POST", $"/settings/investigations/{opened.Id}/evidence", Owner, new Dictionary<string, string> { ["__token"] = "x" });
        Assert.Equal((200, "application/zip", "attachment; filename=\"investigation-1.zip\""), (status, headers.ContentType.ToString(), headers.ContentDisposition.ToString()));
        var report = Verify(body);
        Assert.True(report is { ExitCode: 0, Bodies: true } && report.Verified == seen.Count, report.ToText());
        var files = FilesOf(body);
        Assert.Equal(seen.Select(each => Encoding.UTF8.GetString(EventJson.Write(each))).Order(), files.Where(file => file.Key.StartsWith("events/", StringComparison.Ordinal) && file.Key.EndsWith(".json", StringComparison.Ordinal)).Select(file => Encoding.UTF8.GetString(file.Value)).Order());
        Assert.StartsWith("%PDF-", Encoding.ASCII.GetString(files[CaseEvidence.Report]), StringComparison.Ordinal);
        Assert.Contains("Spoke with the patient.", Encoding.UTF8.GetString(files[CaseEvidence.Data]), StringComparison.Ordinal);
        // Each proof is one that anybody's verifier of single events takes.
        var alone = seen[0].Id;
        var index = files.Single(file => file.Key.StartsWith("events/", StringComparison.Ordinal) && file.Key.EndsWith(".json", StringComparison.Ordinal) && Encoding.UTF8.GetString(file.Value).Contains(alone.ToString(), StringComparison.Ordinal)).Key["events/".Length..^".json".Length];
        Assert.True(TlogProof.TryParse(files[$"events/{index}.tlog-proof"], out var proof) && proof.Shows(Merkle.LeafHash(Entry.Bytes(proof.Extra.Span, files[$"events/{index}.json"])), VerifierKey.Parse(Encoding.UTF8.GetString(files[BundlePaths.Key]).TrimEnd())));

        var told = await Left("investigation.exported");
        Assert.Equal((new EventEntity("investigation", opened.Id), (long)seen.Count, Convert.ToHexStringLower(SHA256.HashData(body))), (told.Entity, told.Details["rows"].Number, told.Details["sha256"].Code));
        Assert.Contains(Ada, told.Subjects);
    }

    [Fact]
    public async Task Whatever_is_changed_in_it_is_found_and_the_first_bad_event_is_named()
    {
        var opened = await OpenAsync();
        var zip = (await Run(new ExportCase(opened.Id), Owner)).Zip;
        var files = FilesOf(zip);
        foreach (var (name, bytes) in files)
        {
            var flipped = (byte[])bytes.Clone();
            flipped[flipped.Length / 2] ^= 1;
            var report = Verify(ZipOf(files, (name, flipped)));
            Assert.True(report.ExitCode == 1, $"{name}: {report.ToText()}");
            if (name.StartsWith("events/", StringComparison.Ordinal)) Assert.Equal(name.Split('/', '.')[1], $"{report.FirstBadIndex}");
            report = Verify(ZipOf(files, (name, null)));
            Assert.True(report.ExitCode != 0, $"without {name}: {report.ToText()}");
        }
        var first = files.Keys.First(name => name.EndsWith(".tlog-proof", StringComparison.Ordinal));
        Assert.Equal(1, Verify(ZipOf(files, ("events/999999.json", files[CaseEvidence.Data]))).ExitCode);
        Assert.Equal(1, Verify(ZipOf(files, ("notes.txt", [1]))).ExitCode);
        // The proof of another event in its place.
        var other = files.Keys.Last(name => name.EndsWith(".tlog-proof", StringComparison.Ordinal));
        Assert.Equal(1, Verify(ZipOf(files, (first, files[other]))).ExitCode);
        Assert.Equal(1, Verify(ZipOf(files, (first, files[other]), (first.Replace(".tlog-proof", ".json", StringComparison.Ordinal), files[other.Replace(".tlog-proof", ".json", StringComparison.Ordinal)]))).ExitCode);
    }

    [Fact]
    public async Task A_malformed_file_neither_crashes_the_verifier_nor_passes()
    {
        var opened = await OpenAsync();
        var zip = (await Run(new ExportCase(opened.Id), Owner)).Zip;
        var whole = FilesOf(zip);
        var random = new Random(7);
        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.zip");
        try
        {
            for (var round = 0; round < 1500; round++)
            {
                var damaged = (byte[])zip.Clone();
                if (round % 5 == 4) damaged = damaged[..random.Next(damaged.Length)];
                else for (var i = 0; i <= round % 3; i++) damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                await File.WriteAllBytesAsync(file, damaged, TestContext.Current.CancellationToken);
                var report = Verifier.VerifyAt(file, new());
                // What of a zip says nothing of its contents, such as a time, may differ.
                if (report.ExitCode == 0) Assert.True(Same(whole, damaged), $"round {round}: {report.ToText()}");
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Only_who_may_read_the_case_and_export_gets_it_with_a_fresh_code()
    {
        await StaffAsync();
        var opened = await OpenAsync(Suspect.Actor.Id!.Value);
        Assert.Equal(404, (await Refused(new ExportCase(opened.Id), Suspect)).Status);
        Assert.Equal(404, (await Refused(new ExportCase(opened.Id), Admin)).Status);
        Assert.Contains((await Refused(new ExportCase(opened.Id), Reviewer)).Status, new[] { 403, 404 });
        Assert.Equal(404, (await Refused(new ExportCase(opened.Id), Platform.As(OtherClinic, BuiltInRole.Owner))).Status);
        var stale = Owner with { Actor = Owner.Actor with { State = Owner.Actor.State with { SteppedUpAt = Platform.Clock.GetUtcNow().AddMinutes(-6) } } };
        Assert.Equal(PlatformErrors.StepUpRequired.Code, (await Refused(new ExportCase(opened.Id), stale)).Code);
        Assert.Equal("CHP-ACCESS-0005", System.Text.Json.JsonDocument.Parse((await Send("GET", $"/api/investigations/{opened.Id}/evidence", stale)).Body).RootElement.GetProperty("code").GetString());
    }

    [Fact]
    public async Task An_event_that_was_changed_in_the_database_is_not_proved()
    {
        var opened = await OpenAsync();
        var seen = (await SeenAsync())[0];
        await Platform.Database.ExecuteAsync($"SET session_replication_role = replica; UPDATE ledger.event SET body = set_byte(body, 40, 255 - get_byte(body, 40)) WHERE id = '{seen.Id}'");
        Assert.Equal(CaseErrors.NothingSigned.Code, (await Refused(new ExportCase(opened.Id), Owner)).Code);
    }

    private static VerificationReport Verify(byte[] zip)
    {
        using var source = LogSource.Zip(new MemoryStream(zip));
        return Verifier.Verify(source, "evidence", new());
    }

    private static SortedDictionary<string, byte[]> FilesOf(byte[] zip)
    {
        using var archive = new ZipArchive(new MemoryStream(zip));
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var entry in archive.Entries)
        {
            using var content = entry.Open();
            using var bytes = new MemoryStream();
            content.CopyTo(bytes);
            files[entry.FullName] = bytes.ToArray();
        }
        return files;
    }

    private static byte[] ZipOf(IReadOnlyDictionary<string, byte[]> files, params (string Name, byte[]? Bytes)[] changed)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var name in files.Keys.Union(changed.Select(each => each.Name)))
            {
                var content = changed.Any(each => each.Name == name) ? changed.First(each => each.Name == name).Bytes : files[name];
                if (content is null) continue;
                using var file = zip.CreateEntry(name, CompressionLevel.Fastest).Open();
                file.Write(content);
            }
        }
        return bytes.ToArray();
    }

    private static bool Same(SortedDictionary<string, byte[]> whole, byte[] zip) =>
        FilesOf(zip) is var files && files.Count == whole.Count && files.All(file => whole.TryGetValue(file.Key, out var bytes) && bytes.AsSpan().SequenceEqual(file.Value));
}
