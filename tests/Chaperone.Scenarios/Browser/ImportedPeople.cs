using System.Text;

namespace Chaperone.Scenarios.Browser;

/// <summary>A small file in Synthea's form: invented people, one row with a date that is none, and a name that is markup.</summary>
internal static class ImportedPeople
{
    public const string Header =
        "Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP,LAT,LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE";

    /// <summary>How many rows are good.</summary>
    public const int Good = 16;

    public static byte[] File { get; } = Encoding.UTF8.GetBytes(
        $"""
        {Header}
        5b0c7a10-1f43-4c6e-9a01-000000000001,1947-03-11,,999-31-4410,S99930011,X43120087X,Mrs,Edith,Ashworth,,Penrose,M,white,nonhispanic,F,Bath  Somerset  GB,4 Mill Lane,Bath,England,Somerset,BA1 1AA,51.38,-2.36,1200.50,900.10
        5b0c7a10-1f43-4c6e-9a01-000000000002,1962-09-30,,999-31-4411,S99930012,,Mr,Graham,Barlow,,,M,white,nonhispanic,M,Leeds  Yorkshire  GB,17 Station Road,Leeds,England,West Yorkshire,LS1 4DY,53.79,-1.54,800.00,640.00
        5b0c7a10-1f43-4c6e-9a01-000000000003,1985-12-02,,999-31-4412,,,Ms,Amara,Okafor,,,S,black,nonhispanic,F,London  Greater London  GB,88 Harbour Street,London,England,Greater London,SE1 2AB,51.50,-0.08,410.00,300.00
        5b0c7a10-1f43-4c6e-9a01-000000000004,1991-06-18,,999-31-4413,,X43120090X,Mr,Rhys,Llewellyn,,,S,white,nonhispanic,M,Swansea  Wales  GB,2 Castle Terrace,Swansea,Wales,Swansea,SA1 3SN,51.62,-3.94,95.00,0.00
        5b0c7a10-1f43-4c6e-9a01-000000000013,1977-08-21,,999-31-4422,,,Ms,Marta,Marigold <b>Bold</b>,,,S,white,nonhispanic,F,Kent  Kent  GB,<img src=x onerror=alert(1)>,Kent,England,Kent,CT1 2AB,51.28,1.08,10.00,10.00
        5b0c7a10-1f43-4c6e-9a01-000000000005,1974-01-25,,999-31-4414,,,Dr,Priya,Raman,,,M,asian,nonhispanic,F,Leicester  Leicestershire  GB,51 Abbey Park Road,Leicester,England,Leicestershire,LE4 5AN,52.64,-1.13,2210.00,2000.00
        5b0c7a10-1f43-4c6e-9a01-000000000006,2016-08-09,,999-31-4415,,,,Isla,Mackenzie,,,,white,nonhispanic,F,Inverness  Scotland  GB,9 Glen View,Inverness,Scotland,Highland,IV2 3EF,57.47,-4.22,60.00,60.00
        5b0c7a10-1f43-4c6e-9a01-000000000007,1938-11-14,2024-02-03,999-31-4416,,,Mr,Walter,Thornhill,,,W,white,nonhispanic,M,York  Yorkshire  GB,30 Minster Close,York,England,North Yorkshire,YO1 7HH,53.96,-1.08,9800.00,9100.00
        5b0c7a10-1f43-4c6e-9a01-000000000008,1999-04-27,,999-31-4417,,,Mx,Robin,Fairweather,,,S,white,nonhispanic,F,Brighton  Sussex  GB,12 Marine Parade,Brighton,England,East Sussex,BN2 1TL,50.82,-0.13,130.00,0.00
        5b0c7a10-1f43-4c6e-9a01-000000000009,1956-07-07,,999-31-4418,,,Mrs,Zainab,Haidari,,Safi,M,asian,nonhispanic,F,Bradford  Yorkshire  GB,6 Toller Lane,Bradford,England,West Yorkshire,BD8 8QH,53.80,-1.77,720.00,700.00
        5b0c7a10-1f43-4c6e-9a01-000000000010,2008-02-29,,999-31-4419,,,,Oliver,Pemberton,,,,white,nonhispanic,M,Oxford  Oxfordshire  GB,3 Cherwell Court,Oxford,England,Oxfordshire,OX2 6QA,51.76,-1.26,45.00,45.00
        5b0c7a10-1f43-4c6e-9a01-000000000011,1969-10-19,,999-31-4420,,,Ms,Siobhán,O'Rourke,,,S,white,nonhispanic,F,Derry  Northern Ireland  GB,21 Foyle Street,Derry,Northern Ireland,Londonderry,BT48 6AT,55.00,-7.32,510.00,400.00
        5b0c7a10-1f43-4c6e-9a01-000000000012,1981-05-05,,999-31-4421,,,Mr,Tomasz,Żurawski,,,M,white,nonhispanic,M,Slough  Berkshire  GB,14 Windsor Avenue,Slough,England,Berkshire,SL1 2EJ,51.51,-0.59,300.00,250.00
        5b0c7a10-1f43-4c6e-9a01-000000000015,1953-12-24,,999-31-4424,,,Mr,Desmond,Clarke,,,M,black,nonhispanic,M,Bristol  Bristol  GB,40 Dockside,Bristol,England,Bristol,BS1 5TY,51.44,-2.60,640.00,600.00
        5b0c7a10-1f43-4c6e-9a01-000000000016,1996-03-15,,999-31-4425,,,Ms,Harriet,Winslow,,,S,white,nonhispanic,F,Norwich  Norfolk  GB,7 Elm Hill,Norwich,England,Norfolk,NR3 1HG,52.63,1.29,85.00,0.00
        5b0c7a10-1f43-4c6e-9a01-000000000017,2021-10-01,,999-31-4426,,,,Noah,Adeyemi,,,,black,nonhispanic,M,Croydon  Greater London  GB,19 Park Lane,Croydon,England,Greater London,CR0 1JA,51.37,-0.10,30.00,30.00
        5b0c7a10-1f43-4c6e-9a01-000000000014,1983-02-31,,999-31-4423,,,Mr,Never,Born,,,S,white,nonhispanic,M,Kent  Kent  GB,1 Nowhere,Kent,England,Kent,CT1 2AB,51.28,1.08,10.00,10.00
        """);
}
