using Chaperone.Witness;

return await WitnessCommand.RunAsync(args);
