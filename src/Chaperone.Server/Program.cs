using Chaperone.Server.Commands;

return await CommandLine.RunAsync(args);
