using System.Net;
using System.Text;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>A file of patients by API and through the pages, and the export, over HTTP.</summary>
public sealed class ImportScenarioTests(ServerFixture fixture)
{
    private const string Header =
        "Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP,LAT,LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE\n";

    [Fact]
    public async Task A_file_comes_in_by_api_twice_and_changes_nothing_the_second_time()
    {
        using var client = await fixture.Server.SignInAs(BuiltInRole.Reception, fixture.Server.Second);
        const string File = Header + "api-1,1961-03-04,,999-11-2222,,,,Avelina,Apitest,,,,,,F,,1 Invented Way,Springfield,,,01001,,,,\napi-2,1961-13-04,,,,,,Bo,Apitest,,,,,,M,,,,,,,,,,\n";
        var first = await client.SendAsync(HttpMethod.Post, "/api/patients/import", Form(("file", File)));
        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal((1, 1), (first.Json.GetProperty("created").GetInt32(), first.Json.GetProperty("skipped").GetInt32()));
        var finding = first.Json.GetProperty("items")[0];
        Assert.Equal((3, "BIRTHDATE", "date-invalid"), (finding.GetProperty("row").GetInt32(), finding.GetProperty("column").GetString(), finding.GetProperty("code").GetString()));
        var again = await client.SendAsync(HttpMethod.Post, "/api/patients/import", Form(("file", File)));
        Assert.Equal((0, 1), (again.Json.GetProperty("created").GetInt32(), again.Json.GetProperty("unchanged").GetInt32()));
        var report = await client.GetAsync($"/api/patients/import/{again.Json.GetProperty("id").GetGuid()}");
        Assert.Equal("finished", report.Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Practitioners_and_appointments_come_in_by_the_routes_of_imports()
    {
        using var client = await fixture.Server.SignInAs(BuiltInRole.Owner, fixture.Server.Second);
        const string People = Header + "hist-1,1961-03-04,,,,,,Avelina,Historytest,,,,,,F,,,,,,,,,,\n",
            Providers = "Id,ORGANIZATION,NAME,GENDER,SPECIALITY,ADDRESS\nhist-p,o,Rosalind884 Fenwick698,F,GENERAL PRACTICE,x\n",
            Encounters = "Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS\nhist-e,2019-03-31T00:30:00Z,2019-03-31T01:30:00Z,hist-1,o,hist-p,p,wellness\nhist-f,2019-03-31T00:30:00Z,,hist-2,o,hist-p,p,wellness\n";
        foreach (var (kind, file) in ((string, string)[])[("patients", People), ("practitioners", Providers), ("appointments", Encounters)])
        {
            var sent = await client.SendAsync(HttpMethod.Post, kind == "patients" ? "/api/imports" : $"/api/imports?kind={kind}", Form(("file", file)));
            Assert.Equal((HttpStatusCode.OK, kind, 1), (sent.Status, sent.Json.GetProperty("kind").GetString(), sent.Json.GetProperty("created").GetInt32()));
            var id = sent.Json.GetProperty("id").GetGuid();
            Assert.Equal(id, (await client.GetAsync($"/api/imports?kind={kind}")).Json.GetProperty("items")[0].GetProperty("id").GetGuid());
            Assert.Equal("finished", (await client.GetAsync($"/api/imports/{id}")).Json.GetProperty("state").GetString());
            if (kind == "appointments") Assert.Contains("3,PATIENT,patient-unknown", (await client.GetAsync($"/api/imports/{id}/report.csv")).Text, StringComparison.Ordinal);
        }
        // The clocks went forward in between: half past midnight to half past two.
        var one = (await client.GetAsync("/api/appointments?day=2019-03-31")).Json.GetProperty("items")[0];
        Assert.Equal(("2019-03-31T00:30:00+00:00", "2019-03-31T02:30:00+01:00"), (one.GetProperty("startsAt").GetString(), one.GetProperty("endsAt").GetString()));
        Assert.Equal("CHP-IMPORT-0015", (await client.SendAsync(HttpMethod.Post, "/api/imports?kind=invoices", Form(("file", People)))).Code);
        Assert.Equal("CHP-IMPORT-0010", (await client.SendAsync(HttpMethod.Post, "/api/imports?kind=practitioners", Form(("file", Encounters)))).Code);
        // The routes of patients are of patients.
        Assert.Equal("CHP-IMPORT-0010", (await client.SendAsync(HttpMethod.Post, "/api/patients/import", Form(("file", Encounters)))).Code);
        Assert.All((await client.GetAsync("/api/patients/import")).Json.GetProperty("items").EnumerateArray(), item => Assert.Equal("patients", item.GetProperty("kind").GetString()));

        using var reception = await fixture.Server.SignInAs(BuiltInRole.Reception, fixture.Server.Second);
        Assert.Equal(HttpStatusCode.Forbidden, (await reception.SendAsync(HttpMethod.Post, "/api/imports", Form(("file", Providers)))).Status);
        var past = (await client.GetAsync("/api/team?state=past")).Json.GetProperty("items")[0];
        Assert.Equal("CHP-TEAM-0005", (await client.SendAsync(HttpMethod.Post, $"/api/team/{past.GetProperty("id").GetGuid()}/reactivate")).Code);
    }

    [Fact]
    public async Task Other_columns_need_a_mapping_which_may_come_after_the_file()
    {
        using var client = await fixture.Server.SignInAs(BuiltInRole.Reception, fixture.Server.Second);
        const string File = "Familie;Geboren am\nMapptest;31.12.1980\n", Mapping = """{"source":"alt","dateFormat":"dmy","columns":{"Familie":"family_name","Geboren am":"date_of_birth"}}""";
        Assert.Equal("CHP-IMPORT-0010", (await client.SendAsync(HttpMethod.Post, "/api/patients/import", Form(("file", File)))).Code);
        Assert.Equal("CHP-IMPORT-0011", (await client.SendAsync(HttpMethod.Post, "/api/patients/import", Form(("file", File), ("mapping", "{\"columns\":{\"Familie\":\"nothing\"}}")))).Code);
        Assert.Equal("CHP-IMPORT-0011", (await client.SendAsync(HttpMethod.Post, "/api/patients/import", Form(("file", File), ("mapping", "[")))).Code);
        Assert.Equal("CHP-IMPORT-0009", (await client.SendAsync(HttpMethod.Post, "/api/patients/import", Form(("other", File)))).Code);
        Assert.Equal("CHP-IMPORT-0009", (await client.SendAsync(HttpMethod.Post, "/api/patients/import", new StringContent(File, Encoding.UTF8, "text/csv"))).Code);
        var mapped = await client.SendAsync(HttpMethod.Post, "/api/patients/import", Form(("file", File), ("mapping", Mapping)));
        Assert.Equal((HttpStatusCode.OK, 1), (mapped.Status, mapped.Json.GetProperty("created").GetInt32()));
        Assert.Equal(0L, await fixture.Server.Database.ExecuteAsync($"SELECT count(*) FROM clinic.upload_chunk WHERE tenant_id = '{fixture.Server.Second.Tenant.Id}'"));
    }

    [Fact]
    public async Task A_body_that_ends_in_the_middle_leaves_nothing()
    {
        using var client = await fixture.Server.SignInAs(BuiltInRole.Reception);
        var content = new StringContent("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\r\nname,born\nCutoff,1980-01-01\n");
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=b");
        Assert.Equal(HttpStatusCode.BadRequest, (await client.SendAsync(HttpMethod.Post, "/api/patients/import", content)).Status);
    }

    [Fact]
    public async Task The_pages_lead_from_the_upload_to_the_report()
    {
        using var client = await fixture.Server.SignInAs(BuiltInRole.Reception);
        const string File = "Nachname,Vorname,Geburtsdatum,Bemerkung\nSeitentest,<b>Bold</b>,1980-01-02,x\nSeitentest,Zwei,1980-99-02,y\n";
        var token = await client.TokenAsync("/patients/import");
        // Without the token, or with the file before it, nothing is read.
        Assert.Equal("CHP-PLATFORM-0008", (await client.SendAsync(HttpMethod.Post, "/patients/import", Form(("file", File)))).Code);
        Assert.Equal("CHP-PLATFORM-0008", (await client.SendAsync(HttpMethod.Post, "/patients/import", Form(("file", File), ("__token", token)))).Code);
        Assert.Equal("CHP-PLATFORM-0008", (await client.SendAsync(HttpMethod.Post, "/patients/import", Form(("file", File)), request => request.Headers.Add("X-Chaperone-Token", "no"))).Code);
        Assert.Equal((HttpStatusCode)422, (await client.SendAsync(HttpMethod.Post, "/patients/import", Form(("__token", token), ("file", "a,a\n1,2\n")))).Status);

        var uploaded = await client.SendAsync(HttpMethod.Post, "/patients/import", Form(("file", File)), request => request.Headers.Add("X-Chaperone-Token", token));
        Assert.Equal(HttpStatusCode.SeeOther, uploaded.Status);
        Assert.EndsWith("/columns", uploaded.Location, StringComparison.Ordinal);
        var columns = await client.GetAsync(uploaded.Location!);
        Assert.Contains("Seitentest", columns.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>Bold", columns.Text, StringComparison.Ordinal);
        var import = uploaded.Location![..^"/columns".Length];
        var unfit = await client.FormAsync(uploaded.Location!, Fields(("source", "t"), ("dateFormat", "iso"), ("duplicates", "skip"), ("c0", "family_name")), uploaded.Location!);
        Assert.Equal((HttpStatusCode)422, unfit.Status);
        var mapped = await client.FormAsync(uploaded.Location!, Fields(("source", "t"), ("dateFormat", "iso"), ("duplicates", "skip"), ("c0", "family_name"), ("c1", "given_names"), ("c2", "date_of_birth")), uploaded.Location!);
        Assert.Equal((HttpStatusCode.SeeOther, import), (mapped.Status, mapped.Location));

        var preview = await client.GetAsync(import);
        Assert.Contains("date-invalid", preview.Text, StringComparison.Ordinal);
        Assert.Contains("Bemerkung", preview.Text, StringComparison.Ordinal);
        Assert.Equal("no-store", preview.Headers["Cache-Control"]);
        Assert.Equal(HttpStatusCode.SeeOther, (await client.FormAsync(import + "/start", Fields(), import)).Status);
        for (var tries = 0; tries < 200 && !(await client.GetAsync(import + "/progress")).Text.Contains("Show the report", StringComparison.Ordinal); tries++) await Task.Delay(100, TestContext.Current.CancellationToken);
        var report = await client.GetAsync(import);
        Assert.Contains("1 imported, 1 skipped.", report.Text, StringComparison.Ordinal);
        Assert.Contains("3,Geburtsdatum,date-invalid", (await client.GetAsync(import + "/report.csv")).Text, StringComparison.Ordinal);

        // Without script the token is the first part.
        var second = await client.SendAsync(HttpMethod.Post, "/patients/import", Form(("__token", token), ("file", File)));
        Assert.Equal((HttpStatusCode.SeeOther, false), (second.Status, second.Location!.EndsWith("/columns", StringComparison.Ordinal)));   // the columns are remembered
        Assert.Equal(HttpStatusCode.SeeOther, (await client.FormAsync(second.Location! + "/cancel", Fields(), second.Location!)).Status);
    }

    [Fact]
    public async Task An_upload_may_be_larger_than_other_requests()
    {
        using var client = await fixture.Server.SignInAs(BuiltInRole.Reception);
        var token = await client.TokenAsync("/patients/import");
        var rows = new StringBuilder("Big name,Big born,Big note\n");
        for (var i = 0; i < 40_000; i++) rows.Append("Large,1980-01-01,").Append('x', 1000).Append('\n');
        var uploaded = await client.SendAsync(HttpMethod.Post, "/patients/import", Form(("__token", token), ("file", rows.ToString())));
        Assert.Equal(HttpStatusCode.SeeOther, uploaded.Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await client.FormAsync(uploaded.Location!.Replace("/columns", "/cancel", StringComparison.Ordinal), Fields(), uploaded.Location!)).Status);
    }

    [Fact]
    public async Task The_export_needs_a_fresh_code_and_leaves_two_events()
    {
        using var client = await fixture.Server.SignInAs(BuiltInRole.Owner, fixture.Server.Second);
        var file = await client.GetAsync("/api/patients/export.csv");
        Assert.Equal((HttpStatusCode.OK, "text/csv; charset=utf-8"), (file.Status, file.Headers["Content-Type"]));
        Assert.Contains("Quill", file.Text, StringComparison.Ordinal);
        var page = await client.FormAsync("/patients/export", Fields(), "/patients/export");
        Assert.Equal(HttpStatusCode.OK, page.Status);
        var actions = (await fixture.Server.EventsAsync(fixture.Server.Second)).Select(one => one.Action).Where(action => action.StartsWith("data.export", StringComparison.Ordinal)).ToList();
        Assert.Equal(["data.export_started", "data.exported", "data.export_started", "data.exported"], actions[^4..]);

        fixture.Server.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("CHP-ACCESS-0005", (await client.GetAsync("/api/patients/export.csv")).Code);
        Assert.StartsWith("/step-up", (await client.GetAsync("/patients/export")).Location, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Fields(params (string Name, string Value)[] fields) => fields.ToDictionary(field => field.Name, field => field.Value);

    private static MultipartFormDataContent Form(params (string Name, string Text)[] parts)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, text) in parts)
            if (name == "file") form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(text)), name, "patients.csv");
            else form.Add(new StringContent(text), name);
        return form;
    }
}
