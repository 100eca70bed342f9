using Chaperone.Clinic.Shell;
using static Chaperone.Clinic.Tests.Shell.Rendering;

namespace Chaperone.Clinic.Tests.Shell;

public sealed class ComponentTests
{
    private const string Markup = "<script>alert(1)</script>";
    private static readonly FormErrors wrong = new() { { "family", $"Enter the family name {Markup}" }, { "", "Nothing was saved" } };

    [Fact]
    public async Task AppLayout_holds_landmarks_token_and_no_prefetch()
    {
        var html = await Html<AppLayout>(("Context", Page with { ClinicName = Markup, Messages = [new FlashMessage(Tone.Success, Markup)] }), ("Title", "Home"), ("ChildContent", Text(Markup)));
        Assert.StartsWith("<!DOCTYPE html>", html, StringComparison.Ordinal);
        Assert.Contains("<html lang=\"en-GB\">", html, StringComparison.Ordinal);
        Assert.Contains("<main id=\"main\"", html, StringComparison.Ordinal);
        Assert.Contains("aria-label=\"Main\"", html, StringComparison.Ordinal);
        Assert.Contains("name=\"turbo-prefetch\" content=\"false\"", html, StringComparison.Ordinal);
        Assert.Contains("name=\"turbo-cache-control\" content=\"no-cache\"", html, StringComparison.Ordinal);
        Assert.Contains("name=\"csp-nonce\" content=\"the-nonce\"", html, StringComparison.Ordinal);
        Assert.Contains("name=\"__token\" value=\"the-token\"", html, StringComparison.Ordinal);
        Assert.Contains("href=\"/\" aria-current=\"page\"", html, StringComparison.Ordinal);
        Assert.Contains("/dist/app-0123456789.js", html, StringComparison.Ordinal);
        StaysText(html);
    }

    [Fact]
    public async Task AppLayout_tells_a_broken_log_on_every_page()
    {
        Assert.DoesNotContain("does not verify", await Html<AppLayout>(("Context", Page), ("Title", "Home")), StringComparison.Ordinal);
        var html = await Html<AppLayout>(("Context", Page with { Integrity = new IntegrityNotice("Entry 7 changed.", "/log") }), ("Title", "Home"));
        Assert.Contains("does not verify", html, StringComparison.Ordinal);
        Assert.Contains("role=\"alert\"", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ErrorPage_shows_code_and_remedy_in_both_layouts()
    {
        foreach (var page in new[] { Page, Page with { Person = null } })
        {
            var html = await Html<ErrorPage>(("Context", page), ("Title", Markup), ("Code", "CHP-WEB-0404"), ("WhatToDo", "Check the address."), ("Status", 404));
            Assert.Contains("CHP-WEB-0404", html, StringComparison.Ordinal);
            Assert.Contains("Check the address.", html, StringComparison.Ordinal);
            Assert.Equal(page.IsAnonymous, !html.Contains("id=\"side\"", StringComparison.Ordinal));
            Assert.Single(html.Split("<h1").Skip(1));
            StaysText(html);
        }
    }

    [Fact]
    public async Task PatientBanner_writes_what_identifies()
    {
        var html = await Html<PatientBanner>(("Family", Markup), ("Given", "Ada"), ("Title", "Mrs"), ("Born", new DateOnly(1987, 3, 4)), ("Gender", "Female"), ("NhsNumber", "9434765919"),
            ("Today", new DateOnly(2026, 11, 21)), ("Archived", true), ("ChildContent", Text("more")));
        Assert.Contains(", Ada (Mrs)", html, StringComparison.Ordinal);
        Assert.Contains("04-Mar-1987 (39y)", html, StringComparison.Ordinal);
        Assert.Contains("943 476 5919", html, StringComparison.Ordinal);
        Assert.Contains("Archived", html, StringComparison.Ordinal);
        StaysText(html);
    }

    [Fact]
    public async Task PatientBanner_of_the_dead_shows_the_age_at_death()
    {
        var html = await Html<PatientBanner>(("Family", "X"), ("Given", "Y"), ("Born", new DateOnly(1940, 1, 2)), ("Died", new DateOnly(2020, 1, 1)), ("Today", new DateOnly(2026, 11, 21)));
        Assert.Contains("01-Jan-2020 (79y)", html, StringComparison.Ordinal);
        Assert.DoesNotContain("(86y)", html, StringComparison.Ordinal);
        Assert.Contains("Not known", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_tie_hint_and_error_to_the_control()
    {
        var html = await Html<FormField>(("Name", "family"), ("Label", "Family name"), ("Hint", "As in the passport"), ("Errors", wrong), ("Value", Markup));
        Assert.Contains("<label class=\"form-label\" for=\"family\">", html, StringComparison.Ordinal);
        Assert.Contains("aria-describedby=\"family-hint family-error\"", html, StringComparison.Ordinal);
        Assert.Contains("aria-invalid=\"true\"", html, StringComparison.Ordinal);
        Assert.Contains("(optional)", html, StringComparison.Ordinal);
        StaysText(html);
    }

    [Fact]
    public async Task Fields_without_error_say_nothing_of_one()
    {
        var html = await Html<FormField>(("Name", "given"), ("Label", "Given"), ("Errors", wrong), ("Required", true), ("Rows", 3));
        Assert.DoesNotContain("aria-invalid", html, StringComparison.Ordinal);
        Assert.DoesNotContain("aria-describedby", html, StringComparison.Ordinal);
        Assert.DoesNotContain("(optional)", html, StringComparison.Ordinal);
        Assert.Contains("<textarea", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Autofocus_gives_way_to_the_error_summary()
    {
        Assert.Contains("autofocus", await Html<FormField>(("Name", "a"), ("Label", "A"), ("Autofocus", true), ("Errors", new FormErrors())), StringComparison.Ordinal);
        Assert.DoesNotContain("autofocus", await Html<FormField>(("Name", "a"), ("Label", "A"), ("Autofocus", true), ("Errors", wrong)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_fields_render_their_values()
    {
        Assert.Contains("value=\"b\" selected", await Html<SelectField>(("Name", "s"), ("Label", "S"), ("Value", "b"), ("Choices", new Choice[] { new("a", "A"), new("b", Markup) })), StringComparison.Ordinal);
        Assert.Contains("value=\"1987-03-04\"", await Html<DateField>(("Name", "d"), ("Label", "D"), ("Value", new DateOnly(1987, 3, 4))), StringComparison.Ordinal);
        Assert.Contains("autocomplete=\"one-time-code\"", await Html<CodeField>(("Name", "code"), ("Label", "Code")), StringComparison.Ordinal);
        Assert.Contains("checked", await Html<CheckField>(("Name", "c"), ("Label", "C"), ("Value", true)), StringComparison.Ordinal);
        Assert.DoesNotContain("checked", await Html<CheckField>(("Name", "c"), ("Label", "C")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ErrorSummary_links_to_the_fields()
    {
        var html = await Html<ErrorSummary>(("Errors", wrong));
        Assert.Contains("href=\"/patients/new#family\"", html, StringComparison.Ordinal);
        Assert.Contains("Nothing was saved", html, StringComparison.Ordinal);
        StaysText(html);
        Assert.Equal("", (await Html<ErrorSummary>(("Errors", new FormErrors()))).Trim());
    }

    [Fact]
    public async Task ConfirmButton_works_as_details_with_a_form()
    {
        var html = await Html<ConfirmButton>(("Id", "archive"), ("Label", "Archive"), ("Question", Markup), ("Action", "/patients/1/archive"), ("Danger", true));
        Assert.Contains("<details", html, StringComparison.Ordinal);
        Assert.Contains("<form method=\"post\" action=\"/patients/1/archive\"", html, StringComparison.Ordinal);
        Assert.Contains("the-token", html, StringComparison.Ordinal);
        StaysText(html);
    }

    [Fact]
    public async Task ProgressBar_asks_again_only_while_unfinished()
    {
        var running = await Html<ProgressBar>(("Id", "job"), ("Href", "/import/1"), ("Label", "Importing"), ("Done", 1500), ("Total", 2000), ("Finished", false));
        Assert.Contains("data-poll-url-value=\"/import/1\"", running, StringComparison.Ordinal);
        Assert.Contains("1,500 of 2,000", running, StringComparison.Ordinal);
        var done = await Html<ProgressBar>(("Id", "job"), ("Href", "/import/1"), ("Label", "Importing"), ("Finished", true), ("ChildContent", Text("2,000 imported")));
        Assert.DoesNotContain("data-poll", done, StringComparison.Ordinal);
        Assert.Contains("<turbo-frame id=\"job\"", done, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QrCode_draws_every_dark_module_inside_a_quiet_zone()
    {
        var html = await Html<QrCode>(("Matrix", new[,] { { true, true }, { false, true } }), ("Label", "Scan me"));
        Assert.Contains("viewBox=\"0 0 10 10\"", html, StringComparison.Ordinal);
        Assert.Contains("d=\"M4 4h2v1H4zM5 5h1v1H5z\"", html, StringComparison.Ordinal);
        var code = QrCode.Encode("otpauth://totp/x");
        Assert.True(code.GetLength(0) >= 21 && code[0, 0] && code[0, 6] && !code[7, 7]);
    }

    [Fact]
    public async Task UploadForm_sends_the_token_before_the_file()
    {
        var html = await Html<UploadForm>(("Action", "/patients/import"), ("Label", "CSV file"));
        Assert.Contains("enctype=\"multipart/form-data\"", html, StringComparison.Ordinal);
        Assert.InRange(html.IndexOf("__token", StringComparison.Ordinal), 0, html.IndexOf("type=\"file\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FindBox_posts_into_its_frame()
    {
        var html = await Html<FindBox>(("Action", "/patients/find"), ("Value", Markup), ("ChildContent", Text(Markup)));
        Assert.Contains("method=\"post\"", html, StringComparison.Ordinal);
        Assert.Contains("data-turbo-frame=\"find-results\"", html, StringComparison.Ordinal);
        Assert.Contains("<turbo-frame id=\"find-results\"", html, StringComparison.Ordinal);
        StaysText(html);
    }

    [Fact]
    public async Task Small_parts_render()
    {
        StaysText(await Html<Badge>(("Tone", Tone.Danger), ("Icon", "lock"), ("ChildContent", Text(Markup))));
        StaysText(await Html<EmptyState>(("Title", Markup), ("Text", "Nothing"), ("ChildContent", Text("Do"))));
        StaysText(await Html<PageHeader>(("Title", Markup), ("Subtitle", "Sub"), ("BackHref", "/"), ("Actions", Text("x"))));
        StaysText(await Html<Panel>(("Title", Markup), ("ChildContent", Text("x"))));
        StaysText(await Html<CopyText>(("Value", Markup), ("What", "key")));
        StaysText(await Html<BackupCodes>(("Codes", new[] { Markup }), ("Heading", "Clinic")));
        StaysText(await Html<DataTable>(("Caption", Markup), ("Head", Text("h")), ("ChildContent", Text("b"))));
        StaysText(await Html<PlainLayout>(("Context", Page with { Host = Markup }), ("Title", "Sign in"), ("Wide", true)));
        Assert.Contains("print#print", await Html<PrintButton>(), StringComparison.Ordinal);
        Assert.Contains("rel=\"next\"", await Html<Pager>(("NextHref", "/log?cursor=1")), StringComparison.Ordinal);
        Assert.Equal("", (await Html<Pager>()).Trim());
    }

    private static void StaysText(string html)
    {
        Assert.NotEmpty(html);
        Assert.DoesNotContain(Markup, html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html.Replace("&#x3C;", "&lt;", StringComparison.OrdinalIgnoreCase).Replace("&#x3E;", "&gt;", StringComparison.OrdinalIgnoreCase), StringComparison.OrdinalIgnoreCase);
    }
}
