"""Names of people, places and brands from many countries, for texts that must not be read as requests because of them."""

from __future__ import annotations

# In these languages the name is the very word for cancelling or stopping, with nothing to tell one from the other.
THE_WORD_ITSELF = {
    "Anulka": {"pl"},
    "Cancela": {"es", "pt"},
    "Cancelo": {"es", "pt"},
    "Iptal": {"tr"},
    "Paré": {"pt"},
    "Storni": {"it"},
    "Storno": {"de", "it", "pl"},
}
_FIRST_NAMES = """
Aaliyah Aaron Abdul Abel Abha Abigail Achim Ada Adam Adela Adele Adnan Adriana Agata Agnes Ahmed Aida Aiko Aino Aisha Akira Alain
Alan Alba Albert Alejandra Aleksander Alessia Alexis Alfonso Ali Alice Alicia Alina Alma Álvaro Amal Amanda Amara Amelie Amina
Amir Amit Ana Anabel Anatol André Andrea Andrzej Ángel Ángela Angelo Anil Anja Anke Ann Anna Annabel Anne Annelie Annelies
Annelise Annika Annuschka Ansel Anselm Ansgar Anton Antje Anuj Anulka Anya Arda Ari Ariel Arne Arnaud Arrate Arthur Arun Asha
Astrid Asuman Ata Atle Aurora Avi Aviva Axel Aylin Ayse Ayşe Aziz Bárbara Bea Beata Beatriz Belén Bella Benoît Berit Bernd Bilal
Birgit Björn Blanca Bo Bora Boris Bruno Burak Cameron Camilla Canan Candela Candice Cansel Cansın Cansu Carl Carla Carlos Carmen
Carol Caroline Cäcilia Cecilia Celal Celina Cem Cemal Cengiz Chance Chancel Chancellor Chanel Chantal Charlotte Chloé Claire Clara
Claude Clement Clemens Cora Cosima Cristina Dag Daisy Damla Dan Daniela David Deborah Deniz Denise Derya Dexter Diana Didier Diego
Dieter Dilek Dimitri Dora Dorothée Duncan Durdu Durdane Ebba Ebru Eda Edda Edgar Egil Eleonora Elif Elin Elisa Ella Elke Ellen
Elsa Emanuela Emil Emma Emre Enrique Erik Ernst Esra Esther Eugen Eva Evelyn Fabian Farah Fatima Felix Fergus Ferma Fermín Feride
Filip Finn Fiona Flavio Florian Florence Frank Franziska Frédéric Fred Frida Gabriel Gaetano Geeta Georg Gerda Gianni Gisela
Giulia Göran Graham Grzegorz Guido Gustav Gülay Hakan Halt Hanna Hannelore Hans Hansel Hänsel Harald Haruka Hasan Hassan Hava
Havas Hava'nur Haver Heather Hector Hedda Heike Heinz Helena Helga Helmut Henrik Hilda Hiroko Horst Hugo Ian Ida Idil Igor Ilka
Ilse Ingrid Ines Iptal Irène Isabel Ivan Ivo Jack Jacek Jakub James Jan Jana Jane Javier Jean Jens Jesús Joachim João Johanna John
Jonas Jordi José Juan Judith Julia Jürgen Kai Kamil Kansal Karin Karl Karol Katarzyna Kate Keiko Kenji Kerem Kerstin Kevin Khalid
Kim Kirsten Klaus Konrad Krzysztof Lakshmi Lars Laura Lea Leila Lena Leo Leon Leona Levi Lidia Liam Lin Linda Lisa Liv Lou Louis
Luca Lucía Ludwig Luigi Luis Lukas Łukasz Luna Maarten Madeleine Magda Mahir Maja Malin Manon Manuel Manuela Marc Marcel Marcela
Marcella Marco Margarita Maria Marie Mario Marisol Markus Marlene Marta Martin Mateusz Matilda Matteo Max Maximilian May Mehmet
Melanie Mercedes Mia Michael Michel Michał Miguel Mika Mina Miriam Mist Mohammed Mona Monika Moritz Muriel Nadia Naoko Nancy
Natalia Nell Nia Nicola Nico Nils Nina Noa Noah Nora Norbert Nur Odile Olaf Olga Oliver Olivia Ole Oscar Otto Ömer Pablo Paloma
Paola Pascal Paul Paula Pawel Pedro Per Petra Philip Pia Pierre Pilar Piotr Pooja Priya Rafael Raj Ralf Ramón Raquel Rashid Raul
Raúl Ravi Rebecca Regina Renata René Ricardo Rita Robert Roko Roland Rosa Rosalía Rudolf Rune Ruth Sabine Sachin Sadie Salma
Samira Samuel Sandra Sara Saskia Sébastien Selin Selma Serena Sergio Seth Siegfried Sigrid Silvia Simon Simone Sinem Sofia Søren
Stefan Stefania Stella Sten Stephanie Steven Stina Storm Sue Sunita Susanne Svea Sven Sylvie Takeshi Tanja Tara Tariq Tatjana Ted
Teresa Theo Thérèse Thomas Tilda Till Tim Tina Tobias Tom Tomasz Toni Torsten Tristan Ugo Ulla Ulrich Umut Ursula Uwe Valentina
Valérie Vanessa Vera Verena Víctor Viktor Vincent Viola Vivian Volker Walter Wanda Wendy Werner Wiebke Will William Wojciech
Xavier Yannick Yara Yasmin Yuki Yusuf Yvonne Zara Zeynep Zofia Zoé
"""
_SURNAMES = """
Abbott Abella Abord Absalon Ahlström Akbaş Almeida Ancel Ancelin Ancelotti Anceletti Andersson Angelo Angra Ångström Annulo
Anulewicz Arnault Avenel Bachmann Banse Barbosa Baumann Beck Becker Bernard Bianchi Blanc Block Blocker Borra Borrell Brandt Braun
Bruun Cabral Calvo Canale Cancela Cancelo Cancelier Cancellara Cancellieri Canceli Candel Cannell Canseco Cansell Cansino Cantel
Carcel Carrasco Castellano Cesse Chancel Chanceller Channell Chauvel Cohen Cole Colombo Costa Cruz Dahl Deletre Deschamps Dias
Diaz Disdier Dubois Duval Engel Erdoğan Eriksson Esposito Évora Fermi Fernández Ferrari Fischer Fontaine Frei Frena Fuchs Gagnon
García Garnier Gauthier Gelen Gómez González Gonçalves Gretzky Grün Guerrero Gupta Haas Håland Hallstein Halte Halter Hamann
Hancel Hansen Hartmann Hatano Haverkamp Havel Havet Hävel Hernández Herrera Hoffmann Holm Hussein Iglesias Ito Ivanov Jansen
Janssen Jensen Johansson Jung Kaczmarek Kancel Kandel Kanceler Kansell Kanzler Kanzler-Huber Kasuya Kaya Keller Klein Koch
Kowalski Krause Krüger Kumar Kunder Kündiger Lambert Lang Larsen Leblanc Lefèvre Leva Levante Li Lindqvist Lopez Löscher Lösche
Lund Maier Mancel Mancell Marchand Marinho Martel Martinez Mayer Mendes Menzel Mercier Meyer Miller Möller Moreau Moreno Moretti
Müller Nagel Nakamura Navarro Neumann Nguyen Nielsen Nowak Olsen Özdemir Öztürk Papadopoulos Parada Parcell Paré Pauls Pereira
Peres Perez Persson Petersen Peters Pietersen Pires Popov Puller Purcell Quitério Ramirez Ramos Raven Recede Reiter Remo Resilier
Retana Retief Reyes Ricci Richter Rivera Roche Rojas Romano Rossi Roux Ruiz Russo Sacco Sachs Sala Salazar Sanchez Santoro Santos
Saques Sauer Schäfer Scherer Schmid Schmidt Schmitt Schneider Scholz Schröder Schulz Schwarz Serrano Sharma Silva Singh Smit
Sokolov Sousa Stark Steiner Stone Stopp Stoppa Stoppard Stoppel Stopper Storck Storm Störmer Stornoway Storni Storno Stride
Strömberg Stryk Sundin Suzuki Svensson Szczepański Tanaka Tavares Teixeira Thomsen Tiro Torres Ulloa Usher Vargas Vega Vidal Villa
Virer Vogel Wagner Walker Weber Weiss Werner Westerlund Williams Wilson Winter Wirth Wójcik Wolf Wong Wright Yamamoto Yang Yılmaz
Zanella Zhang Ziegler Zimmermann
"""
_PLACES = """
Aalborg Alessandria Amsterdam Ancona Angra Ankara Anklam Annaba Annecy Antalya Arles Avila Ávila Avola Barcelona Basel Bergen
Bologna Borås Cancale Cancún Canela Cannes Cansaulim Catania Cracow Düren Faro Firenze Gävle Haaren Hagen Halle Halton Hanau
Hasselt Havana Havant Haverhill Hävernäs Ibiza Kansas Kandel Kanchanaburi Kiel Köln Kop Lublin Malmö Marseille Milano Nancy Nantes
Nara Nice Osaka Pamplona Parada Paris Porto Roma Ronda Salamanca Stockport Stopham Storkow Stornoway Strömstad Tarifa Toledo
Torino Trier Tunis Umeå Usti Varberg Venezia Verona Wien Wismar York
"""

NAMES = sorted({*_FIRST_NAMES.split(), *_SURNAMES.split(), *_PLACES.split()})
