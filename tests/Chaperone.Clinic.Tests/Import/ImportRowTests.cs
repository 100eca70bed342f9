using System.Text;
using Chaperone.Clinic.Imports;

namespace Chaperone.Clinic.Tests.Import;

/// <summary>Rows: what is registered, what is skipped and why, and what a second import does.</summary>
public sealed class ImportRowTests
{
    private static readonly string Synthea = ImportClinic.SyntheaHeader + """"

        0b2f8a2e-0000-4000-8000-000000000001,1961-03-04,,999-11-2222,S90000001,X90000001X,Mrs.,Avelina,Testperson,,Vormals,M,white,nonhispanic,F,Springfield  Nowhere  US,1 Invented Way,Springfield,Nowhere,Plain County,01001,42.1,-71.1,1.5,2.5
        0b2f8a2e-0000-4000-8000-000000000002,1999-12-31,2020-02-29,999-33-4444,,,,Bó,"O'Neill, de",,,,asian,hispanic,M,Springfield  Nowhere  US,"2 Long Lane, Flat ""B""",Springfield,Nowhere,,,42.1,-71.1,1.5,2.5

        """".ReplaceLineEndings("\r\n");

    [Fact]
    public async Task Synthea_maps_by_itself_and_a_second_import_changes_nothing_and_says_so()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var first = await clinic.Import(Synthea);
        Assert.Equal("2 imported.", first.State.Summary);
        Assert.Equal(["LAT", "LON", "HEALTHCARE_EXPENSES", "HEALTHCARE_COVERAGE"], first.State.UnmappedColumns);
        var before = await clinic.Export();
        Assert.Contains("S90000001", before, StringComparison.Ordinal);
        Assert.Contains("999-33-4444", before, StringComparison.Ordinal);
        Assert.Contains("\"2 Long Lane, Flat \"\"B\"\"\"", before, StringComparison.Ordinal);

        var again = await clinic.Import(Synthea);
        Assert.Equal("2 already there, unchanged. Nothing was imported.", again.State.Summary);
        Assert.All(again.Lines, line => Assert.Equal(FindingCodes.AlreadyHere, line.Code));
        Assert.Equal(before, await clinic.Export());

        var changed = await clinic.Import(Synthea.Replace("Avelina", "Evelina", StringComparison.Ordinal));
        Assert.Equal((0, 1, 1), (changed.State.Created, changed.State.Unchanged, changed.State.Differing));
        Assert.Equal((2, FindingCodes.Differs), (changed.Lines[0].Row, changed.Lines[0].Code));
        Assert.Equal(before, await clinic.Export());
    }

    [Fact]
    public async Task The_log_says_who_was_registered_and_who_started_it()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var report = await clinic.Import(Synthea);
        var events = await clinic.Events();
        Assert.Equal(["import.uploaded", "import.started", "patient.created", "import.finished", "import.viewed"], events.Select(one => one.Action));
        var created = events[2];
        Assert.Equal((2, 2, "import"), (created.Subjects.Count, created.Records.Count, created.Reason));
        Assert.Equal(report.State.Id, created.Entity!.Id);
        Assert.Equal(clinic.Caller.Actor.Id!.Value.ToString("D"), created.Details["initiator"].Code);
        Assert.Equal(2, events[3].Details["created"].Number);
    }

    [Fact]
    public async Task Every_row_of_synthea_comes_in_and_is_there_afterwards()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var file = Reference() is { } path ? await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken) : Synthea;
        var people = file.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length - 1;
        Assert.Equal($"{people} imported.", (await clinic.Import(file)).State.Summary);
        Assert.Equal($"{people} already there, unchanged. Nothing was imported.", (await clinic.Import(file)).State.Summary);
    }

    [Theory]
    [InlineData("A,1980-13-01,,,,", "date-invalid", "born")]
    [InlineData("A,1980-02-30,,,,", "date-invalid", "born")]
    [InlineData("A,2999-01-01,,,,", "date-impossible", "born")]
    [InlineData("A,1700-01-01,,,,", "date-impossible", "born")]
    [InlineData("A,,,,,", "missing", "born")]
    [InlineData(",1980-01-01,,,,", "missing", "name")]
    [InlineData("A,1980-01-01,9434765918,,,", "nhs-number-invalid", "nhs")]
    [InlineData("A,1980-01-01,123,,,", "nhs-number-invalid", "nhs")]
    [InlineData("A,1980-01-01,,not-a-mail,,", "email-invalid", "mail")]
    [InlineData("A,1980-01-01,,,call me,", "phone-invalid", "tel")]
    [InlineData("A,1980-01-01,,,,q", "word-unknown", "sex")]
    [InlineData("A\u0007,1980-01-01,,,,", "characters-invalid", "name")]
    [InlineData("A,1980-01-01,,,", "too-few-cells", null)]
    [InlineData("A,1980-01-01,,,,,", "too-many-cells", null)]
    public async Task A_row_at_fault_is_skipped_with_row_column_and_code(string row, string code, string? column)
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var mapping = ImportClinic.Mapping("iso", ("name", "family_name"), ("born", "date_of_birth"), ("nhs", "nhs_number"), ("mail", "email"), ("tel", "phone"), ("sex", "gender"));
        var report = await clinic.Import($"name,born,nhs,mail,tel,sex\nFirst,1970-01-01,,,,f\n{row}\nLast,1971-01-01,,,,m\n", mapping);
        Assert.Equal((2, 1), (report.State.Created, report.State.Skipped));
        var line = Assert.Single(report.Lines);
        Assert.Equal((3, code, column), (line.Row, line.Code, line.Column));
    }

    [Fact]
    public async Task Names_of_every_sort_come_through_and_ten_thousand_characters_do_not()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        string[] names = ["<script>alert(1)</script>", "'; DROP TABLE clinic.patient; --", "👩‍⚕️ Ünïcode", "مريم", "=1+1", "+44", "-x", "@SUM(A1)", "'=already", "＝wide"];
        var rows = new StringBuilder("name,born\n");
        for (var i = 0; i < names.Length; i++) rows.Append($"\"{names[i]}\",198{i}-01-01\n");
        rows.Append(new string('x', 10_000)).Append(",1990-01-01\n");
        var report = await clinic.Import(rows.ToString(), ImportClinic.Mapping("iso", ("name", "family_name"), ("born", "date_of_birth")));
        Assert.Equal((names.Length, 1), (report.State.Created, report.State.Skipped));
        Assert.Equal((FindingCodes.TooLong, "name"), (report.Lines[0].Code, report.Lines[0].Column));
    }

    [Fact]
    public async Task Duplicates_within_the_file_and_with_the_register_are_found()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var mapping = ImportClinic.Mapping("dmy", ("id", "external_id"), ("name", "family_name"), ("born", "date_of_birth"), ("nhs", "nhs_number"));
        var report = await clinic.Import("id,name,born,nhs\n1,Ada,31/12/1980,9434765919\n2,Ada,31/12/1980,\n1,Bert,01/02/1981,\n3,Cleo,1.2.1982,943 476 5919\n", mapping);
        Assert.Equal((1, 3, 1), (report.State.Created, report.State.Skipped, report.State.LikelyDuplicates));
        Assert.Equal([(3, FindingCodes.LikelyDuplicate), (4, FindingCodes.Repeated), (5, FindingCodes.NhsNumberTaken)], report.Lines.Select(line => (line.Row, line.Code)));

        var anyway = await clinic.Import("id,name,born,nhs\n9,Ada,31/12/1980,\n", mapping with { Duplicates = "import" });
        Assert.Equal((1, 1, FindingCodes.LikelyDuplicateImported), (anyway.State.Created, anyway.State.LikelyDuplicates, anyway.Lines[0].Code));
    }

    [Fact]
    public async Task A_mapping_is_remembered_for_the_same_columns_and_one_that_does_not_fit_is_refused()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        const string File = "Nom,Né\nDurand,31/12/1980\n";
        Assert.False((await clinic.Upload(File)).Value.IsMapped);
        await clinic.Import(File, ImportClinic.Mapping("dmy", ("Nom", "family_name"), ("Né", "date_of_birth")));
        var again = (await clinic.Upload(File.Replace("Durand", "Dupont", StringComparison.Ordinal))).Value;
        Assert.True(again.IsMapped);
        foreach (var bad in new[]
        {
            ImportClinic.Mapping("dmy", ("Nom", "family_name")),
            ImportClinic.Mapping("dmy", ("Nom", "family_name"), ("Nom2", "date_of_birth")),
            ImportClinic.Mapping("dmy", ("Nom", "family_name"), ("Né", "registered_at")),
            ImportClinic.Mapping("xyz", ("Nom", "family_name"), ("Né", "date_of_birth")),
            ImportClinic.Mapping("dmy", ("Nom", "family_name"), ("Né", "family_name")),
            ImportClinic.Mapping("dmy", ("Nom", "family_name"), ("Né", "date_of_birth")) with { Source = "Not A Code" },
        })
            Assert.Equal("CHP-IMPORT-0011", (await clinic.Run(new MapImport(again.Id, bad))).Error?.Code);
    }

    [Fact]
    public async Task The_preview_registers_nobody_and_tells_what_the_import_then_does()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        await clinic.Import(Synthea);
        var third = Synthea.TrimEnd().Split("\r\n")[1].Replace("000000000001", "000000000003", StringComparison.Ordinal);
        var uploaded = await clinic.Upload(Synthea + third + "\r\n" + third.Replace("000000000003", "000000000004", StringComparison.Ordinal).Replace("1961-03-04", "1961-03-45", StringComparison.Ordinal) + "\r\n");
        var preview = (await clinic.Run(new PreviewImport(uploaded.Value.Id))).Value;
        Assert.Equal((0, 2, 1, 1), (preview.Good, preview.AlreadyHere, preview.LikelyDuplicates, preview.Faulty));
        Assert.Equal(("BIRTHDATE", FindingCodes.Date, 5), (preview.FirstFindings[0].Column, preview.FirstFindings[0].Code, preview.FirstFindings[0].Row));
        Assert.Equal(2, await clinic.CountAsync("patient"));
    }

    /// <summary>The file that Synthea itself wrote, where it lies beside the repository; else the invented one stands for it.</summary>
    private static string? Reference()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "shared/data/synthea/patients.csv") is var path && File.Exists(path)) return path;
        return null;
    }
}
