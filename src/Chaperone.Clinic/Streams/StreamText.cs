using System.Globalization;
using Chaperone.Clinic.Shell;

namespace Chaperone.Clinic.Streams;

/// <summary>How streams are put into words.</summary>
internal static class StreamText
{
    public static readonly Choice[] Shapes = [new(StreamRow.Native, "Native: as it stands in the log"), new(StreamRow.Ocsf, "OCSF, for security systems"), new(StreamRow.Fhir, "FHIR AuditEvent (IHE BALP)")];

    private static readonly CultureInfo British = CultureInfo.GetCultureInfo("en-GB");

    public static string Kind(string kind) => kind == StreamRow.Syslog ? "Syslog" : "Webhook";

    public static string Shape(string shape) => shape switch { StreamRow.Ocsf => "OCSF", StreamRow.Fhir => "FHIR", _ => "native" };

    public static string Number(long number) => number.ToString("N0", British);

    /// <summary>A span of time, roughly.</summary>
    public static string Span(long seconds) => seconds switch
    {
        < 2 => "a second",
        < 120 => $"{Number(seconds)} seconds",
        < 7200 => $"{Number(seconds / 60)} minutes",
        < 172_800 => $"{Number(seconds / 3600)} hours",
        _ => $"{Number(seconds / 86_400)} days",
    };
}
