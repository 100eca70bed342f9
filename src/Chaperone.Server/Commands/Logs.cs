namespace Chaperone.Server.Commands;

/// <summary>The process's log: one line per entry on standard error, so that standard output carries only what a command announces.</summary>
internal static class Logs
{
    public static ILoggerFactory CreateFactory() => LoggerFactory.Create(Configure);

    public static void Configure(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        });
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Npgsql", LogLevel.Warning);
        logging.AddFilter("Quartz", LogLevel.None); // failed statements with their exceptions; StoreFaults says that there are any
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error); // warns of clear keys: ours are sealed by the store they go to
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Critical); // writes exceptions whole, and their messages may quote values
        logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.None); // failed commands with their values
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None); // writes whole URLs
    }
}
