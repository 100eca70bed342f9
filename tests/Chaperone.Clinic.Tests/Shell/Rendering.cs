using Chaperone.Clinic.Shell;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Chaperone.Clinic.Tests.Shell;

/// <summary>Renders components to HTML the way the server does.</summary>
internal static class Rendering
{
    private static readonly string[] names = ["app.js", "app.css", "theme.js", "sprite.svg", "favicon.svg"];

    public static PageContext Page { get; } = new()
    {
        ClinicName = "Clinic", Host = "clinic.localhost", Path = "/patients/new", Token = "the-token", Nonce = "the-nonce", FindHref = "/patients",
        Assets = new AssetManifest("/nowhere", names.ToDictionary(name => name, name => name.Replace(".", "-0123456789.", StringComparison.Ordinal), StringComparer.Ordinal)),
        Person = new SignedInPerson("Ada Okafor", "ada@example.org", ["Doctor"]),
        Nav = [new NavItem("/", "Home", "home", Active: true), new NavItem("/log", "Audit log", "list-details", Active: false, Group: "Settings")]
    };

    /// <summary>Renders a component inside the page's context; parameters as (name, value).</summary>
    public static async Task<string> Html<T>(params (string Name, object? Value)[] parameters) where T : IComponent
    {
        await using var services = new ServiceCollection().BuildServiceProvider();
        await using var renderer = new HtmlRenderer(services, NullLoggerFactory.Instance);
        RenderFragment inside = builder =>
        {
            builder.OpenComponent<T>(0);
            foreach (var (name, value) in parameters) builder.AddComponentParameter(1, name, value);
            builder.CloseComponent();
        };
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var output = await renderer.RenderComponentAsync<CascadingValue<PageContext>>(ParameterView.FromDictionary(new Dictionary<string, object?>
            {
                [nameof(CascadingValue<PageContext>.Value)] = Page, [nameof(CascadingValue<PageContext>.ChildContent)] = inside
            }));
            return output.ToHtmlString();
        });
    }

    public static RenderFragment Text(string text) => (RenderTreeBuilder builder) => builder.AddContent(0, text);
}
