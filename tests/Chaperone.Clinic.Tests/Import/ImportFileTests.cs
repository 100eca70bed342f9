using System.IO.Compression;
using System.Text;
using Chaperone.Clinic.Imports;

namespace Chaperone.Clinic.Tests.Import;

/// <summary>Files at fault as a whole: refused with their code, and nothing of them is kept.</summary>
public sealed class ImportFileTests
{
    private const string Good = "name,born\nMüller,1980-01-02\n";

    public static TheoryData<string, byte[], string> Faulty => new()
    {
        { "zip", Zip(), "CHP-IMPORT-0001" },
        { "xls", [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 1, 2, 3, 4], "CHP-IMPORT-0001" },
        { "binary", [.. Enumerable.Range(0, 5000).Select(i => (byte)i)], "CHP-IMPORT-0001" },
        { "html", "<!doctype html><table>"u8.ToArray(), "CHP-IMPORT-0001" },
        { "json", "  {\"a\": 1}"u8.ToArray(), "CHP-IMPORT-0001" },
        { "utf-16 with mark", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(Good)], "CHP-IMPORT-0002" },
        { "utf-16 without mark", Encoding.BigEndianUnicode.GetBytes("name,born\nAda,1980-01-02\n"), "CHP-IMPORT-0002" },
        { "header missing", "Ada,1980-01-02\nBert,1981-01-02\n"u8.ToArray(), "CHP-IMPORT-0003" },
        { "values under no name", "name,,born\nAda,x,1980-01-02\n"u8.ToArray(), "CHP-IMPORT-0003" },
        { "two columns of one name", "name,born,Name\nAda,1980-01-02,x\n"u8.ToArray(), "CHP-IMPORT-0004" },
        { "quote in a cell", "name,born\nAda \"the\" great,1980-01-02\n"u8.ToArray(), "CHP-IMPORT-0005" },
        { "quote never closed", "name,born\n\"Ada,1980-01-02\nBert,1981-01-02\n"u8.ToArray(), "CHP-IMPORT-0005" },
        { "text after a quote", "name,born\n\"Ada\"x,1980-01-02\n"u8.ToArray(), "CHP-IMPORT-0005" },
        { "empty", [], "CHP-IMPORT-0008" },
        { "header only", "name,born\n\n"u8.ToArray(), "CHP-IMPORT-0008" },
    };

    [Theory]
    [MemberData(nameof(Faulty))]
    public async Task A_file_at_fault_imports_nothing_and_leaves_nothing(string what, byte[] file, string code)
    {
        await using var clinic = await ImportClinic.OpenAsync();
        Assert.NotEmpty(what);
        var uploaded = await clinic.Upload(file);
        Assert.Equal(code, uploaded.Error?.Code);
        Assert.Equal(0, await clinic.CountAsync("import_job") + await clinic.CountAsync("upload_chunk") + await clinic.CountAsync("patient"));
        var failure = Assert.Single(await clinic.Events());
        Assert.Equal(("import.uploaded", code), (failure.Action, failure.Reason));
    }

    [Fact]
    public async Task Two_hundred_thousand_rows_and_one_are_too_many()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var rows = new StringBuilder("name,born\n");
        for (var i = 0; i < ImportLimits.MostRows; i++) rows.Append("A,1980-01-02\n");
        var most = await clinic.Upload(rows.ToString());
        Assert.Equal(ImportLimits.MostRows, most.Value.Rows);
        Assert.Equal("CHP-IMPORT-0006", (await clinic.Upload(rows.Append("A,1980-01-02\n").ToString())).Error?.Code);
    }

    [Fact]
    public async Task More_than_200_megabytes_are_too_large()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        using var endless = new Endless(ImportLimits.MostBytes + 1);
        Assert.Equal("CHP-IMPORT-0007", (await clinic.Run(new UploadFile("big.csv", endless))).Error?.Code);
        Assert.Equal(0, await clinic.CountAsync("upload_chunk"));
    }

    [Fact]
    public async Task Encodings_and_delimiters_are_found_by_content()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var mapping = ImportClinic.Mapping("iso", ("name", "family_name"), ("born", "date_of_birth"));
        var windows = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;
        foreach (var bytes in new[]
        {
            Encoding.UTF8.GetBytes("name,born\nMüller-Šimek,1980-01-01\n"),
            [.. Encoding.UTF8.GetPreamble(), .. Encoding.UTF8.GetBytes("name;born\r\nMüller-Šimek;1980-01-02\r\n")],
            windows.GetBytes("name\tborn\nMüller-Šimek\t1980-01-03\n"),
            Encoding.UTF8.GetBytes("\"name\",\"born\"\n\"Müller-Šimek\",\"1980-01-04\""),
        })
            Assert.Equal(1, (await clinic.Import(bytes, mapping)).State.Created);
        Assert.Equal(4, (await clinic.Export()).Split("Müller-Šimek").Length - 1);
    }

    [Fact]
    public async Task An_upload_is_sealed_from_its_first_byte_and_gone_after_the_import()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var uploaded = await clinic.Upload("name,born\nQuackelbury-Canary,1980-01-02\n", name: "Canary-Filename.csv");
        var tables = new[] { "upload_chunk", "import_job" };
        foreach (var table in tables)
            Assert.Equal(0L, await clinic.Platform.Database.ExecuteAsync($"SELECT count(*) FROM clinic.{table} t WHERE t::text ILIKE '%canary%' OR encode(sealed, 'escape') ILIKE '%canary%'"));
        Assert.Equal(1, await clinic.CountAsync("upload_chunk"));
        Assert.Null((await clinic.Run(new CancelImport(uploaded.Value.Id))).Error);
        Assert.Equal(0, await clinic.CountAsync("upload_chunk"));
        Assert.Equal(0L, await clinic.Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.import_job WHERE file_key IS NOT NULL"));
    }

    [Fact]
    public async Task A_file_that_nobody_imports_is_thrown_away_after_a_day()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var uploaded = await clinic.Upload(Good);
        clinic.Platform.Clock.Advance(TimeSpan.FromHours(23));
        await clinic.NewRunner().RunClinicAsync(clinic.Clinic, CancellationToken.None);
        Assert.Equal(1, await clinic.CountAsync("upload_chunk"));
        clinic.Platform.Clock.Advance(TimeSpan.FromHours(2));
        await clinic.NewRunner().RunClinicAsync(clinic.Clinic, CancellationToken.None);
        Assert.Equal(0, await clinic.CountAsync("upload_chunk"));
        Assert.Equal("cancelled", (await clinic.Run(new WatchImport(uploaded.Value.Id))).Value.State);
    }

    private static byte[] Zip()
    {
        var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        using (var writer = new StreamWriter(zip.CreateEntry("patients.csv").Open()))
            writer.Write(Good);
        return bytes.ToArray();
    }

    private sealed class Endless(long length) : Stream
    {
        private long left = length;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(count, left);
            Array.Fill(buffer, (byte)'a', offset, read);
            left -= read;
            return read;
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
